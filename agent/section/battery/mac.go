package battery

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/ioregistry"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	nodes, err := ioregistry.Read(ctx, h, host.BatteryRegistry)
	if err != nil {
		return nil, err
	}
	var batteries []*inventoryv1.Battery
	for i, n := range nodes {
		if installed, known := n.Yes("BatteryInstalled"); installed || !known {
			battery := ofNode(n)
			battery.Name = strconv.Itoa(i + 1)
			batteries = append(batteries, battery)
		}
	}
	if len(batteries) == 0 {
		return nil, fmt.Errorf("%w: the machine has no battery", host.ErrUnsupported)
	}
	return keyed(batteries), nil
}

// ofNode reads the properties of AppleSmartBattery. Capacities are in mAh, and no property has the
// voltage by which they could be converted. On Apple's processors MaxCapacity is 100 and
// CurrentCapacity is in percent. macOS 27 moved the measured values to the group BatteryData.
func ofNode(n ioregistry.Node) *inventoryv1.Battery {
	data := n.Group("BatteryData")
	number := func(names ...string) *uint32 {
		value, known := n.Number(names...)
		if !known {
			value, known = data.Number(names...)
		}
		if !known || value > math.MaxUint32 {
			return nil
		}
		return proto.Uint32(uint32(value))
	}
	item := &inventoryv1.Battery{
		SerialNumber:      cmp.Or(n.Text("Serial", "BatterySerialNumber"), data.Text("Serial")),
		Manufacturer:      n.Text("Manufacturer"),
		Model:             n.Text("DeviceName"),
		DesignCapacityMah: positive(number("DesignCapacity")),
		FullCapacityMah:   positive(number("AppleRawMaxCapacity", "NominalChargeCapacity")),
		CycleCount:        number("CycleCount"),
		State:             stateOf(n),
	}
	charge, full := number("CurrentCapacity"), positive(number("MaxCapacity"))
	if charge != nil && full != nil && *charge <= *full {
		item.ChargePercent = proto.Uint32(uint32(uint64(*charge) * percent / uint64(*full))) //nolint:gosec // ≤ 100
	}
	if item.FullCapacityMah == nil && full != nil && *full > percent {
		item.FullCapacityMah = full
	}
	return item
}

const percent = 100

func stateOf(n ioregistry.Node) string {
	for _, s := range []struct{ property, state string }{
		{"FullyCharged", "full"}, {"IsCharging", "charging"}, {"ExternalConnected", "not charging"},
	} {
		if yes, _ := n.Yes(s.property); yes {
			return s.state
		}
	}
	if _, known := n.Yes("ExternalConnected"); known {
		return "discharging"
	}
	return ""
}

// FromProfile returns the battery that a report of system_profiler describes. The data of newer
// systems is in groups, and has neither capacity in mAh.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	item := &inventoryv1.Battery{}
	for n := range report.All("SPPowerDataType") {
		for _, part := range append(groups(n), *n) {
			addProfile(item, &part)
		}
	}
	if item.SerialNumber == "" {
		return nil, fmt.Errorf("the report does not describe a battery: %w", host.ErrUnsupported)
	}
	return []proto.Message{item}, nil
}

func groups(n *profiler.Node) []profiler.Node {
	var parts []profiler.Node
	for _, name := range []string{
		"sppower_battery_model_info", "sppower_battery_health_info", "sppower_battery_charge_info",
	} {
		parts = append(parts, n.Nodes(name)...)
	}
	return parts
}

func addProfile(item *inventoryv1.Battery, n *profiler.Node) {
	switch {
	case n.Text("Device Name", "sppower_battery_device_name") != "": // the charger has a serial number, too
		item.Model = n.Text("Device Name", "sppower_battery_device_name")
		item.SerialNumber = n.Text("Serial Number", "sppower_battery_serial_number")
		item.Manufacturer = n.Text("Manufacturer", "sppower_battery_manufacturer")
	case n.Text("Cycle Count", "sppower_battery_cycle_count") != "":
		item.CycleCount = proto.Uint32(n.Count("Cycle Count", "sppower_battery_cycle_count"))
	case n.Text("Full Charge Capacity (mAh)", "sppower_battery_max_capacity") != "":
		full := n.Count("Full Charge Capacity (mAh)", "sppower_battery_max_capacity")
		item.FullCapacityMah = positive(&full)
	}
}
