package battery

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func files(machine map[string]map[string]string) map[string]string {
	all := map[string]string{supplies + "/": ""}
	for name, attributes := range machine {
		for attribute, text := range attributes {
			all[supplies+"/"+name+"/"+attribute] = text + "\n"
		}
	}
	return all
}

func TestCollect(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, files(map[string]map[string]string{
		"AC": {"type": "Mains", "online": "1"},
		"BAT0": {
			"type": "Battery", "present": "1", "serial_number": " 1733", "manufacturer": "LGC", "model_name": "01AV479",
			"technology": "Li-poly", "energy_full_design": "57020000", "energy_full": "41230000", "cycle_count": "512",
			"capacity": "83", "status": "Discharging",
		},
		"BAT1": {
			"type": "Battery", "present": "1", "technology": "Unknown", "charge_full_design": "6400000",
			"charge_full": "0", "voltage_min_design": "7600000", "cycle_count": "0", "capacity": "100", "status": "Unknown",
		},
		"BAT2":                  {"type": "Battery", "present": "0"},
		"hidpp_battery_0":       {"type": "Battery", "scope": "Device", "capacity": "70"},
		"ucsi-source-psy-USBC0": {"type": "USB"},
	}))
	got, err := collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.Battery{
			SerialNumber: "1733", Manufacturer: "LGC", Model: "01AV479", Chemistry: "Li-poly",
			DesignCapacityMwh: proto.Uint32(57020), FullCapacityMwh: proto.Uint32(41230), CycleCount: proto.Uint32(512),
			ChargePercent: proto.Uint32(83), State: "discharging",
		},
		&inventoryv1.Battery{Name: "BAT1", DesignCapacityMwh: proto.Uint32(48640), ChargePercent: proto.Uint32(100)},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNone(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]*host.Host{
		"no class": hosttest.Tree(t, nil),
		"desktop":  hosttest.Tree(t, files(map[string]map[string]string{"AC": {"type": "Mains"}})),
	} {
		if _, err := collect(t.Context(), h); !errors.Is(err, host.ErrUnsupported) {
			t.Errorf("%s: error %v, want %v", name, err, host.ErrUnsupported)
		}
	}
}
