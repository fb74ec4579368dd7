package usb

import (
	"encoding/json"
	"os"
	"strings"
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
	const hub, receiver = `USB\ROOT_HUB30\4&1`, `USB\VID_046D&PID_C52B\5&47cff6e&0&3`
	const first, second = `USB\VID_046D&PID_C52B&MI_00\6&1f2bd028&2&0000`, `USB\VID_046D&PID_C52B&MI_01\6&1f2bd028&2&0001`
	const stick, camera = `USB\VID_0781&PID_5581\4C530001120612107472`, `USB\VID_04F2&PID_B6D9\0001`
	const failed = `USB\VID_0000&PID_0002\5&47cff6e&0&9`
	ids := func(list ...string) []string { return list }
	r := hosttest.Registry(t, map[string]map[string]any{
		host.DeviceKey + hub: {"Service": "USBHUB3"},
		host.DeviceKey + receiver: {
			"HardwareID":    ids(`USB\VID_046D&PID_C52B&REV_2411`, `USB\VID_046D&PID_C52B`),
			"CompatibleIDs": ids(`USB\DevClass_00&SubClass_00&Prot_00`, `USB\DevClass_00`, `USB\COMPOSITE`),
			"Service":       "usbccgp", "ParentIdPrefix": "6&1F2BD028&2", "Capabilities": uint32(0x84),
		},
		host.DeviceKey + first:  {"CompatibleIDs": ids(`USB\Class_03&SubClass_01&Prot_01`), "Service": "HidUsb"},
		host.DeviceKey + second: {"CompatibleIDs": ids(`USB\Class_03&SubClass_00&Prot_00`), "Service": "HidUsb"},
		host.DeviceKey + stick: {
			"HardwareID":    ids(`USB\VID_0781&PID_5581&REV_0100`),
			"CompatibleIDs": ids(`USB\Class_08&SubClass_06&Prot_50`), "Service": "USBSTOR", "Capabilities": uint32(0x94),
		},
		host.DeviceKey + camera: {"CompatibleIDs": ids(`USB\Class_0e`), "Service": "usbvideo", "Capabilities": uint32(0x80)},
		host.DeviceKey + failed: {"Service": ""},
	})
	const root = "PCIROOT(0)#PCI(1400)#USBROOT(0)"
	h := hosttest.WindowsMachine(t, r, []hosttest.Call{{Call: "devices", Argument: "USB", Value: []host.Device{
		{Instance: hub, Location: root},
		{Instance: first, Location: root + "#USB(3)#USBMI(0)"},
		{Instance: receiver, Location: root + "#USB(3)", Reported: "USB Receiver"},
		{Instance: second, Location: root + "#USB(3)#USBMI(1)"},
		{Instance: stick, Location: root + "#USB(4)", Reported: "Ultra "},
		{Instance: camera},
		{Instance: failed},
	}}})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{
		&inventoryv1.UsbDevice{
			BusPath: root + "#USB(3)", VendorId: "046d", ProductId: "c52b", Name: "USB Receiver", Class: "00", Revision: "2411",
			InterfaceClasses: []string{"03"}, Drivers: []string{"HidUsb"},
		},
		&inventoryv1.UsbDevice{
			BusPath: root + "#USB(4)", VendorId: "0781", ProductId: "5581", SerialNumber: "4C530001120612107472", Name: "Ultra",
			Revision: "0100", InterfaceClasses: []string{"08"}, Drivers: []string{"USBSTOR"},
		},
		&inventoryv1.UsbDevice{
			BusPath: camera, VendorId: "04f2", ProductId: "b6d9", SerialNumber: "0001", InterfaceClasses: []string{"0e"},
			Drivers: []string{"usbvideo"}, Removable: proto.Bool(false),
		},
	}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWindowsSerials compares the serial numbers of a recorded registry with those that glpi-agent
// expects of the devices that are present.
func TestWindowsSerials(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(hosttest.Corpus(t, "glpi-agent", "expected", "windows-usb.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected struct {
		Tests map[string]struct {
			Expected []struct{ VendorID, ProductID, Serial string }
		}
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	r := hosttest.RegFiles(t, hosttest.Corpus(t, "glpi-agent", "resources", "win32", "registry", "xppro2-USB.reg"))
	var present []host.Device
	kinds, err := r.Key(strings.TrimSuffix(host.DeviceKey, `\`) + `\USB`)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds.SubKeys {
		instances, err := r.Key(host.DeviceKey + `USB\` + kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, instance := range instances.SubKeys {
			present = append(present, host.Device{Instance: `USB\` + kind + `\` + instance})
		}
	}
	h := hosttest.WindowsMachine(t, r, []hosttest.Call{{Call: "devices", Argument: "USB", Value: present}})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	serials := map[string]bool{}
	for _, message := range items {
		item, _ := message.(*inventoryv1.UsbDevice)
		serials[strings.ToUpper(item.VendorId+item.ProductId+item.SerialNumber)] = true
	}
	for _, want := range expected.Tests["xppro2"].Expected {
		if !serials[strings.ToUpper(want.VendorID+want.ProductID+want.Serial)] {
			t.Errorf("no device %s:%s with the serial number %q", want.VendorID, want.ProductID, want.Serial)
		}
	}
	if len(expected.Tests["xppro2"].Expected) == 0 {
		t.Error("no expected devices")
	}
}
