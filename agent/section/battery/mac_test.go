package battery

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/agent/section/ioregistry"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestOfNode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		node ioregistry.Node
		want *inventoryv1.Battery
	}{
		{
			"of an Intel Mac, which counts in mAh",
			ioregistry.Node{
				"BatterySerialNumber": "C01437408B3F90MA2", "Manufacturer": "DP", "DeviceName": "bq20z451",
				"DesignCapacity": uint64(6600), "MaxCapacity": uint64(6078), "CurrentCapacity": uint64(4552),
				"CycleCount": uint64(552), "ExternalConnected": false, "IsCharging": false, "FullyCharged": false,
			},
			&inventoryv1.Battery{
				SerialNumber: "C01437408B3F90MA2", Manufacturer: "DP", Model: "bq20z451",
				DesignCapacityMah: proto.Uint32(6600), FullCapacityMah: proto.Uint32(6078), CycleCount: proto.Uint32(552),
				ChargePercent: proto.Uint32(74), State: "discharging",
			},
		},
		{
			"of an Apple processor, which counts in percent",
			ioregistry.Node{
				"Serial": "F5D1234", "DesignCapacity": uint64(8579), "AppleRawMaxCapacity": uint64(8682),
				"MaxCapacity": uint64(100), "CurrentCapacity": uint64(94), "CycleCount": uint64(36),
				"ExternalConnected": true, "IsCharging": false,
			},
			&inventoryv1.Battery{
				SerialNumber: "F5D1234", DesignCapacityMah: proto.Uint32(8579), FullCapacityMah: proto.Uint32(8682),
				CycleCount: proto.Uint32(36), ChargePercent: proto.Uint32(94), State: "not charging",
			},
		},
		{
			"with the measured values in a group",
			ioregistry.Node{
				"MaxCapacity": uint64(100), "CurrentCapacity": uint64(100), "FullyCharged": true, "CycleCount": uint64(0),
				"BatteryData": map[string]any{"DesignCapacity": uint64(6249), "NominalChargeCapacity": uint64(6100), "Serial": "G1"},
			},
			&inventoryv1.Battery{
				SerialNumber: "G1", DesignCapacityMah: proto.Uint32(6249), FullCapacityMah: proto.Uint32(6100),
				CycleCount: proto.Uint32(0), ChargePercent: proto.Uint32(100), State: "full",
			},
		},
		{"without values", ioregistry.Node{"MaxCapacity": uint64(0), "CurrentCapacity": uint64(3)}, &inventoryv1.Battery{}},
	} {
		if diff := cmp.Diff(c.want, ofNode(c.node), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestFromProfile: the power supply of the second Mac has a serial number, too.
func TestFromProfile(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]*inventoryv1.Battery{
		"10.11-system_profiler_SPPowerDataType.txt": {
			SerialNumber: "C01437408B3F90MA2", Manufacturer: "DP", Model: "bq20z451", FullCapacityMah: proto.Uint32(6078),
			CycleCount: proto.Uint32(552),
		},
		"charged-SPPowerDataType": {
			SerialNumber: "HD2J77", Manufacturer: "SMP", Model: "bq20z451", FullCapacityMah: proto.Uint32(4069),
			CycleCount: proto.Uint32(125),
		},
	} {
		data, err := os.ReadFile(hosttest.Corpus(t, "glpi-agent", "resources", "macos", "system_profiler", name))
		if err != nil {
			t.Fatal(err)
		}
		checkProfile(t, name, data, want)
	}
	checkProfile(t, "JSON", []byte(`{"SPPowerDataType": [{"_name": "spbattery_information",
"sppower_battery_health_info": {"sppower_battery_cycle_count": 68, "sppower_battery_health": "Good"},
"sppower_battery_model_info": {"sppower_battery_device_name": "bq40z651", "sppower_battery_serial_number": "F8Y1"}},
{"_name": "sppower_ac_charger_information", "sppower_ac_charger_serial_number": "C4H"}]}`), &inventoryv1.Battery{
		SerialNumber: "F8Y1", Model: "bq40z651", CycleCount: proto.Uint32(68),
	})
	if _, err := FromProfile(profiler.Report{}); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("without a battery: %v", err)
	}
}

func checkProfile(t *testing.T, name string, data []byte, want *inventoryv1.Battery) {
	t.Helper()
	report, err := profiler.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := FromProfile(report)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if diff := cmp.Diff([]proto.Message{want}, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
