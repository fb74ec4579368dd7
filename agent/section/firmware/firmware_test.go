package firmware

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func tree(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const (
	tables   = "sys/firmware/dmi/tables/DMI"
	typeZero = "\x00\x18\x00\x00\x01\x02\x00\xe8\x03\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x01\x46\xff\xff" +
		"LENOVO\x00N2IET92W (1.70 )\x0009/21/2020\x00\x00"
	endOfDMI = "\x7f\x04\x7f\x00\x00\x00"
	efi      = "sys/firmware/efi/efivars/"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		want  *inventoryv1.Firmware
		err   error
	}{
		{
			"UEFI with secure boot and TPM",
			map[string]string{
				tables: typeZero + endOfDMI, "sys/class/tpm/tpm0/tpm_version_major": "2\n",
				efi + "SecureBoot" + globalVariable: "\x06\x00\x00\x00\x01", efi + "SetupMode" + globalVariable: "\x06\x00\x00\x00\x00",
			},
			&inventoryv1.Firmware{
				Vendor: "LENOVO", Version: "N2IET92W (1.70 )", ReleaseDate: "09/21/2020", Revision: "1.70", Mode: "uefi",
				SecureBoot: new(true), SecureBootSetupMode: new(false), TpmVersion: "2.0",
			},
			nil,
		},
		{
			"BIOS",
			map[string]string{tables: typeZero + endOfDMI},
			&inventoryv1.Firmware{Vendor: "LENOVO", Version: "N2IET92W (1.70 )", ReleaseDate: "09/21/2020", Revision: "1.70", Mode: "bios"},
			nil,
		},
		{
			"files of the kernel, variable cut off",
			map[string]string{
				"sys/class/dmi/id/bios_vendor": "AMI\n", "sys/class/dmi/id/bios_version": "1.0\n",
				efi + "SecureBoot" + globalVariable: "\x06\x00",
			},
			&inventoryv1.Firmware{Vendor: "AMI", Version: "1.0", Mode: "uefi"},
			nil,
		},
		{"nothing", nil, nil, host.ErrUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			items, err := collect(t.Context(), tree(t, c.files))
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			var want []proto.Message
			if c.want != nil {
				want = []proto.Message{c.want}
			}
			if diff := cmp.Diff(want, items, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
