package volume

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestOfDrive(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		volume host.Volume
		want   *inventoryv1.Volume
	}{
		"system": {
			host.Volume{
				ID: "{0A1B2C3D-0000-0000-0000-100000000000}", MountPoints: []string{`C:\`, `C:\mnt\`}, DriveType: driveFixed, FileSystem: "NTFS",
				Label: "Windows", TotalBytes: 100, FreeBytes: 40, System: true, Signature: []byte("\xebX\x90-FVE-FS-\x00\x02\x08\x00\x00"),
			},
			&inventoryv1.Volume{
				MountPoint: "C:", FsType: "ntfs", Label: "Windows", Uuid: "0a1b2c3d-0000-0000-0000-100000000000", IsSystem: proto.Bool(true),
				EncryptionMethod: "bitlocker", TotalBytes: proto.Uint64(100), FreeBytes: proto.Uint64(40),
			},
		},
		"locked": {
			host.Volume{MountPoints: []string{`D:\`}, DriveType: driveFixed, Signature: []byte("\xebX\x90-FVE-FS-")},
			&inventoryv1.Volume{
				MountPoint: "D:", IsSystem: proto.Bool(false), EncryptionMethod: "bitlocker", EncryptionStatus: "locked",
			},
		},
		"stick": {
			host.Volume{MountPoints: []string{`E:\`}, DriveType: driveRemovable, FileSystem: "exFAT", TotalBytes: 5, Signature: []byte("\xebv\x90EXFAT   ")},
			&inventoryv1.Volume{MountPoint: "E:", FsType: "exfat", IsSystem: proto.Bool(false), TotalBytes: proto.Uint64(5), FreeBytes: proto.Uint64(0)},
		},
		"empty reader": {host.Volume{MountPoints: []string{`F:\`}, DriveType: driveRemovable}, nil},
		"disc":         {host.Volume{MountPoints: []string{`G:\`}, DriveType: 5, FileSystem: "UDF"}, nil},
		"not mounted":  {host.Volume{DriveType: driveFixed, FileSystem: "FAT32"}, nil},
	} {
		if diff := gocmp.Diff(test.want, ofDrive(test.volume), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBitLocker(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bitLocker *host.BitLocker
		want      *inventoryv1.Volume
	}{
		"on": {
			&host.BitLocker{State: encrypted, Next: encrypted, Algorithm: 0x8004, Protectors: []uint16{0x100, 0x800}},
			&inventoryv1.Volume{
				EncryptionStatus: "on", EncryptionAlgorithm: "xts-aes-128", EncryptionProtectors: []string{"recovery_password", "tpm"},
			},
		},
		"suspended": {
			&host.BitLocker{State: encrypted, Next: encrypted, Algorithm: 0x8003, Protectors: []uint16{clearKey, 0x500}},
			&inventoryv1.Volume{
				EncryptionStatus: "suspended", EncryptionAlgorithm: "aes-cbc-256", EncryptionProtectors: []string{"clear_key", "tpm_pin"},
			},
		},
		"encrypting": {&host.BitLocker{State: converting, Next: encrypted}, &inventoryv1.Volume{EncryptionStatus: "encrypting"}},
		"decrypting": {&host.BitLocker{State: converting, Next: decrypted}, &inventoryv1.Volume{EncryptionStatus: "decrypting"}},
		"other":      {&host.BitLocker{State: 9, Algorithm: 7, Protectors: []uint16{7}}, &inventoryv1.Volume{}},
		"unknown":    {nil, &inventoryv1.Volume{}},
	} {
		got := &inventoryv1.Volume{}
		describeBitLocker(got, host.Volume{FileSystem: "NTFS", BitLocker: test.bitLocker})
		if diff := gocmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
