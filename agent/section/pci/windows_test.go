package pci

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	const nic = `PCI\VEN_8086&DEV_1502&SUBSYS_21CE17AA&REV_04\3&11583659&0&C8`
	const bridge = `PCI\VEN_8086&DEV_1C10&SUBSYS_00000000&REV_B4\3&11583659&0&E0`
	const second = `PCI\VEN_1000&DEV_00AF&SUBSYS_40101000&REV_00\4&1`
	const disabled = `PCI\VEN_1000&DEV_0002\4&3`
	const gone = `PCI\VEN_1000&DEV_0001\4&2`
	r := hosttest.Registry(t, map[string]map[string]any{
		host.DeviceKey + nic: {
			"HardwareID":    []string{`PCI\VEN_8086&DEV_1502&SUBSYS_21CE17AA&REV_04`, `PCI\VEN_8086&DEV_1502&CC_020000`},
			"CompatibleIDs": []string{`PCI\VEN_8086&DEV_1502&REV_04`, `PCI\CC_020000`, `PCI\CC_0200`},
			"Service":       "e1cexpress", "Mfg": "@net1ic64.inf,%intel%;Intel", "DeviceDesc": "@net1ic64.inf,%e1502%;Intel(R) 82579LM Gigabit",
		},
		host.DeviceKey + bridge: {
			"HardwareID": []string{`PCI\VEN_8086&DEV_1C10&SUBSYS_00000000&REV_B4`, `PCI\VEN_8086&DEV_1C10&CC_0604`},
			"Service":    "pci", "FriendlyName": "PCI Express Root Port", "DeviceDesc": "other",
		},
		host.DeviceKey + second:   {"HardwareID": []string{`PCI\VEN_1000&DEV_00AF&SUBSYS_40101000&REV_00`}},
		host.DeviceKey + disabled: {"HardwareID": []string{`PCI\VEN_1000&DEV_0002`}},
	})
	h := hosttest.WindowsMachine(t, r, []hosttest.Call{{Call: "devices", Argument: "PCI", Value: []host.Device{
		{Instance: nic, Bus: new(uint32(0)), Address: new(uint32(0x190000))},
		{Instance: bridge, Bus: new(uint32(0)), Address: new(uint32(0x1c0002))},
		{Instance: second, Bus: new(uint32(0x10041)), Address: new(uint32(0))}, // in segment 0x100
		{Instance: gone},
		{Instance: disabled},
	}}})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.PciDevice{
			Address: "0000:00:19.0", VendorId: "8086", DeviceId: "1502", SubsystemVendorId: "17aa", SubsystemId: "21ce",
			Class: "020000", Revision: "04", Driver: "e1cexpress", Name: "Intel(R) 82579LM Gigabit", Manufacturer: "Intel",
		},
		&inventoryv1.PciDevice{
			Address: "0000:00:1c.2", VendorId: "8086", DeviceId: "1c10", Class: "0604", Revision: "b4", Driver: "pci",
			Name: "PCI Express Root Port",
		},
		&inventoryv1.PciDevice{
			Address: "0100:41:00.0", VendorId: "1000", DeviceId: "00af", SubsystemVendorId: "1000", SubsystemId: "4010", Revision: "00",
		},
		&inventoryv1.PciDevice{Address: disabled, VendorId: "1000", DeviceId: "0002"},
	}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
