package system

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/smbios"
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
	id        = "sys/class/dmi/id/"
	physical  = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vme sse2\n"
	guest     = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu hypervisor\n"
	clocks0   = "sys/devices/system/clocksource/clocksource0/available_clocksource"
	typeOne   = "\x01\x1b\x01\x00\x01\x02\x00\x03" + "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff" + "\x06\x00\x00"
	endOfDMI  = "\x7f\x04\x7f\x00\x00\x00"
	dmiTables = "sys/firmware/dmi/tables/DMI"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		want  *inventoryv1.System
		err   error
	}{
		{
			"table",
			map[string]string{dmiTables: typeOne + "Dell Inc.\x00Latitude 7440\x00ABC1234 \x00\x00" + endOfDMI, "proc/cpuinfo": physical},
			&inventoryv1.System{
				Manufacturer: "Dell Inc.", ProductName: "Latitude 7440", SerialNumber: "ABC1234",
				Uuid: "33221100-5544-7766-8899-aabbccddeeff",
			},
			nil,
		},
		{
			"cut table",
			map[string]string{dmiTables: typeOne + "Dell Inc.\x00Latitude 7440\x00ABC1"},
			&inventoryv1.System{Manufacturer: "Dell Inc.", ProductName: "Latitude 7440", Uuid: "33221100-5544-7766-8899-aabbccddeeff"},
			smbios.ErrIncomplete,
		},
		{
			"files of the kernel",
			map[string]string{
				id + "sys_vendor": "LENOVO\n", id + "product_name": "20N2CTO1WW\n", id + "product_serial": "PF1NKFHN\n",
				id + "product_uuid": "0677D5CC-25B1-11B2-A85C-C66E0B64B3D5\n", id + "chassis_type": "10\n", id + "board_name": "X\n",
			},
			&inventoryv1.System{
				Manufacturer: "LENOVO", ProductName: "20N2CTO1WW", SerialNumber: "PF1NKFHN",
				Uuid: "0677d5cc-25b1-11b2-a85c-c66e0b64b3d5", ChassisType: "Notebook", ChassisTypeCode: new(uint32(10)), BoardProduct: "X",
			},
			nil,
		},
		{
			"device tree",
			map[string]string{"proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\x00", "proc/device-tree/serial-number": "10000000abcdef\x00"},
			&inventoryv1.System{ProductName: "Raspberry Pi 4 Model B Rev 1.4", SerialNumber: "10000000abcdef"},
			nil,
		},
		{
			"container in a virtual machine",
			map[string]string{"proc/cpuinfo": guest, clocks0: "tsc kvm-clock\n", ".dockerenv": ""},
			&inventoryv1.System{IsVirtual: new(true), Hypervisor: "kvm", ContainerType: "docker"},
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

func TestVirtualize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		manufacturer, product, bios string
		files                       map[string]string
		virtual                     bool
		hypervisor                  string
	}{
		{"Dell Inc.", "Latitude 7440", "Dell Inc.", map[string]string{"proc/cpuinfo": physical}, false, ""},
		{"Dell Inc.", "Latitude 7440", "Dell Inc.", map[string]string{"proc/cpuinfo": guest}, true, ""},
		{"QEMU", "Standard PC", "SeaBIOS", nil, true, "qemu"},
		{"QEMU", "Standard PC", "SeaBIOS", map[string]string{clocks0: "kvm-clock tsc"}, true, "kvm"},
		{"", "", "QEMU", nil, true, "qemu"},
		{"VMware, Inc.", "VMware7,1", "VMware, Inc.", map[string]string{"proc/cpuinfo": guest}, true, "vmware"},
		{"Microsoft Corporation", "Virtual Machine", "Microsoft Corporation", nil, true, "hyperv"},
		{"Microsoft Corporation", "Surface Laptop 4", "Microsoft Corporation", map[string]string{"proc/cpuinfo": physical}, false, ""},
		{"Amazon EC2", "m7g.large", "Amazon EC2", nil, true, ""},
		{"Amazon EC2", "m7g.metal", "Amazon EC2", nil, false, ""},
		{"Xen", "HVM domU", "Xen", map[string]string{"sys/hypervisor/type": "xen\n"}, true, "xen"},
		{"HP", "ProLiant", "HP", map[string]string{
			"proc/cpuinfo": guest, "sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "control_d\n",
		}, false, ""},
	} {
		item := &inventoryv1.System{Manufacturer: c.manufacturer, ProductName: c.product}
		virtualize(tree(t, c.files), item, c.bios)
		if item.GetIsVirtual() != c.virtual || item.GetHypervisor() != c.hypervisor {
			t.Errorf("%s %s: %v %q, want %v %q", c.manufacturer, c.product, item.GetIsVirtual(), item.GetHypervisor(), c.virtual, c.hypervisor)
		}
		if !c.virtual && item.IsVirtual != nil {
			t.Errorf("%s %s: claims not to be virtual, which nothing proves", c.manufacturer, c.product)
		}
	}
}

func TestContainerType(t *testing.T) {
	t.Parallel()
	for want, files := range map[string]map[string]string{
		"lxc":    {"run/systemd/container": "lxc\n", ".dockerenv": ""},
		"podman": {"run/.containerenv": ""},
		"docker": {".dockerenv": ""},
		"":       nil,
	} {
		if got := containerType(tree(t, files)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
