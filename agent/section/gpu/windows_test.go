package gpu

import (
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// adapter is a display adapter whose driver a recorded registry has.
type adapter struct {
	instance, driver, service string
}

// machine returns the machine of a registry export with the adapters.
func machine(t *testing.T, name string, adapters ...adapter) *host.Host {
	t.Helper()
	r := hosttest.RegFiles(t, hosttest.Corpus(t, "glpi-agent", "resources", "win32", "registry", name+"-"+displayAdapters+".reg"))
	var devices []host.Device
	for i, a := range adapters {
		devices = append(devices, host.Device{Instance: a.instance, Bus: new(uint32(1)), Address: new(uint32(i << 16))})
		r.Add(host.DeviceKey+a.instance, map[string]host.RegistryValue{
			"HardwareID": host.TextValue(a.instance[:strings.LastIndexByte(a.instance, '\\')]), "Service": host.TextValue(a.service),
			"Driver": host.TextValue(displayAdapters + `\` + a.driver), "DeviceDesc": host.TextValue("@oem1.inf,%x%;Adapter"),
		})
	}
	return hosttest.WindowsMachine(t, r, []hosttest.Call{
		{Call: "devices", Argument: displayAdapters, Value: devices},
		{Call: "devices", Argument: "PCI", Value: devices},
	})
}

// TestWindows has the memory and the names that glpi-agent expects of the same registries.
func TestWindows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		adapters []adapter
		want     []proto.Message
	}{
		"amd-radeon-rx6600xt": {
			[]adapter{{`PCI\VEN_1002&DEV_73FF&SUBSYS_23411787&REV_C1\6&1`, "0001", "amdkmdag"}},
			[]proto.Message{&inventoryv1.Gpu{
				BusPath: "0000:01:00.0", Name: "AMD Radeon RX 6600 XT", VendorId: "1002", DeviceId: "73ff", SubsystemVendorId: "1787",
				SubsystemId: "2341", Driver: "amdkmdag", DriverVersion: "30.0.21023.1015", DriverDate: "2022-06-22",
				VramBytes: proto.Uint64(8176 << 20),
			}},
		},
		"intel+nvidia": {
			[]adapter{
				{`PCI\VEN_10DE&DEV_1402\4&1`, "0000", "nvlddmkm"}, {`PCI\VEN_8086&DEV_0412\3&1`, "0001", "igfx"},
				{`SWD\REMOTEDISPLAYENUM\RDPIDD&1`, "0003", "WUDFRd"}, {`VMBUS\{DA0A7802}\1`, "", "hyperv"},
			},
			[]proto.Message{
				&inventoryv1.Gpu{
					BusPath: "0000:01:00.0", Name: "NVIDIA GeForce GTX 950", VendorId: "10de", DeviceId: "1402", Driver: "nvlddmkm",
					DriverVersion: "30.0.15.1215", DriverDate: "2022-03-17", VramBytes: proto.Uint64(2048 << 20),
				},
				&inventoryv1.Gpu{
					BusPath: "0000:01:01.0", Name: "Intel(R) HD Graphics 4600", VendorId: "8086", DeviceId: "0412", Driver: "igfx",
					DriverVersion: "20.19.15.4624", DriverDate: "2017-03-08", VramBytes: proto.Uint64(1024 << 20),
				},
				&inventoryv1.Gpu{BusPath: `VMBUS\{DA0A7802}\1`, Name: "Adapter", Driver: "hyperv"},
			},
		},
		"intel-hd-graphics": {
			[]adapter{{`PCI\VEN_8086&DEV_0152\3&2`, "0000", "igfx"}},
			[]proto.Message{&inventoryv1.Gpu{
				BusPath: "0000:01:00.0", Name: "Intel(R) HD Graphics", VendorId: "8086", DeviceId: "0152", Driver: "igfx",
				DriverVersion: "9.17.10.4459", DriverDate: "2016-05-19", VramBytes: proto.Uint64(2108 << 20),
			}},
		},
	} {
		items, err := collect(t.Context(), machine(t, name, test.adapters...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := gocmp.Diff(test.want, items, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWindowsWithoutDriver: a display controller without a driver is in no setup class.
func TestWindowsWithoutDriver(t *testing.T) {
	t.Parallel()
	const card, disk = `PCI\VEN_1234&DEV_1111\3&1`, `PCI\VEN_8086&DEV_2922\3&2`
	r := hosttest.Registry(t, map[string]map[string]any{
		host.DeviceKey + card: {"HardwareID": []string{card, `PCI\VEN_1234&DEV_1111&CC_030000`}},
		host.DeviceKey + disk: {"HardwareID": []string{disk, `PCI\VEN_8086&DEV_2922&CC_010601`}},
	})
	calls := []hosttest.Call{
		{Call: "devices", Argument: displayAdapters, Value: []host.Device{}},
		{Call: "devices", Argument: "PCI", Value: []host.Device{{Instance: card}, {Instance: disk}}},
	}
	items, err := collect(t.Context(), hosttest.WindowsMachine(t, r, calls))
	want := []proto.Message{&inventoryv1.Gpu{BusPath: card, VendorId: "1234", DeviceId: "1111"}}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	calls[1].Value = []host.Device{{Instance: disk}}
	if _, err := collect(t.Context(), hosttest.WindowsMachine(t, r, calls)); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("without a controller: %v", err)
	}
}
