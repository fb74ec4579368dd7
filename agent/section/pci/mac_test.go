package pci

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/ioregistry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestOfRegistry(t *testing.T) {
	t.Parallel()
	id := func(low, high byte) []byte { return []byte{low, high, 0, 0} }
	bridge := func(name string) ioregistry.Node {
		return ioregistry.Node{
			"pcidebug": "0:0:0(1:1)", "vendor-id": id(0x6b, 0x10), "device-id": id(0x0c, 0x10),
			"class-code": []byte{0, 4, 6, 0}, "IORegistryEntryName": name, "IORegistryEntryLocation": "0",
		}
	}
	got, err := ofRegistry([]ioregistry.Node{
		{
			"pcidebug": "0:31:3", "vendor-id": id(0x86, 0x80), "device-id": id(0x23, 0x9d), "class-code": []byte{0, 3, 4, 0},
			"revision-id": id(0x21, 0), "subsystem-vendor-id": id(0x3c, 0x10), "subsystem-id": id(0x4c, 0x80),
		},
		{
			"pcidebug": "1:0:0", "vendor-id": id(0x02, 0x10), "device-id": id(0xef, 0x67), "model": []byte("AMD Radeon Pro 450\x00"),
			"subsystem-vendor-id": id(0, 0), "subsystem-id": id(0, 0),
		},
		bridge("pci-bridge0"), bridge("pci-bridge1"), bridge("pci-bridge1"),
		{"pcidebug": "0:99:0", "vendor-id": id(0x86, 0x80)}, // no such device number
		{"pcidebug": "0:1:0"},
	})
	if err == nil || err.Error() != "3 of 7 PCI devices have no address of their own" {
		t.Errorf("error %v", err)
	}
	want := []proto.Message{
		&inventoryv1.PciDevice{
			Address: "0000:00:1f.3", VendorId: "8086", DeviceId: "9d23", Class: "040300", Revision: "21",
			SubsystemVendorId: "103c", SubsystemId: "804c",
		},
		&inventoryv1.PciDevice{Address: "0000:01:00.0", VendorId: "1002", DeviceId: "67ef", Name: "AMD Radeon Pro 450"},
		&inventoryv1.PciDevice{Address: "pci-bridge0@0", VendorId: "106b", DeviceId: "100c", Class: "060400"},
		&inventoryv1.PciDevice{Address: "pci-bridge1@0", VendorId: "106b", DeviceId: "100c", Class: "060400"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
}
