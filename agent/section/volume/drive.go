package volume

import (
	"bytes"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Types of drives that are volumes (Microsoft, GetDriveType).
const (
	driveRemovable = 2
	driveFixed     = 3
)

// ofDrives describes the volumes of Windows.
func ofDrives(drives []host.Volume) []proto.Message {
	var items []proto.Message
	for _, drive := range drives {
		if item := ofDrive(drive); item != nil {
			items = append(items, item)
		}
	}
	return items
}

// ofDrive describes a volume of Windows. It returns nil for an optical disc, a disk in memory, and
// a removable drive without a file system.
func ofDrive(v host.Volume) *inventoryv1.Volume {
	if len(v.MountPoints) == 0 || v.DriveType != driveFixed && (v.DriveType != driveRemovable || v.FileSystem == "") {
		return nil
	}
	item := &inventoryv1.Volume{
		MountPoint:       strings.TrimSuffix(v.MountPoints[0], `\`),
		FsType:           strings.ToLower(v.FileSystem),
		Label:            v.Label,
		Uuid:             strings.ToLower(strings.Trim(v.ID, "{}")),
		IsSystem:         proto.Bool(v.System),
		EncryptionMethod: encryption(v.Signature),
	}
	if item.EncryptionMethod != "" {
		describeBitLocker(item, v)
	}
	if v.TotalBytes > 0 {
		item.TotalBytes, item.FreeBytes = proto.Uint64(v.TotalBytes), proto.Uint64(v.FreeBytes)
	}
	return item
}

// encryption recognizes BitLocker by the name that it writes in the volume's first sector, in place
// of the name of the file system. It is there until all of the volume is decrypted.
func encryption(signature []byte) string {
	if len(signature) >= 11 && bytes.Equal(signature[3:11], []byte("-FVE-FS-")) {
		return "bitlocker"
	}
	return ""
}

// EncryptionKnown reports whether the agent may read the beginning of all volumes of Windows, so
// that one without encryption is known to have none.
func EncryptionKnown(h *host.Host) bool {
	drives, err := h.Volumes()
	if err != nil {
		return false
	}
	for _, v := range drives {
		if ofDrive(v) != nil && v.Signature == nil {
			return false
		}
	}
	return len(drives) > 0
}
