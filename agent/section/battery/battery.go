// Package battery collects the section "battery": the batteries that power the machine, with their
// wear. It never includes batteries of mice, keyboards and other devices. Start reading at collect.
package battery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section battery.
func Collector() section.Collector {
	return section.Collector{Name: "battery", Collect: collect}
}

const supplies = "/sys/class/power_supply"

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsWindows() {
		return collectWindows(h)
	}
	if h.IsMac() {
		return collectMac(ctx, h)
	}
	entries, err := h.ReadDir(supplies)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist", host.ErrUnsupported, supplies)
	}
	if err != nil {
		return nil, err
	}
	var batteries []*inventoryv1.Battery
	for _, entry := range entries {
		s := supply{host: h, directory: supplies + "/" + entry.Name() + "/"}
		if s.text("type") != "Battery" || s.text("scope") == "Device" || s.text("present") == "0" {
			continue
		}
		battery := s.read()
		battery.Name = entry.Name()
		batteries = append(batteries, battery)
	}
	if len(batteries) == 0 {
		return nil, fmt.Errorf("%w: the machine has no battery", host.ErrUnsupported)
	}
	return keyed(batteries), nil
}

// keyed leaves the name out of the key of a battery whose serial number is unique.
func keyed(batteries []*inventoryv1.Battery) []proto.Message {
	serials := map[string]int{}
	for _, battery := range batteries {
		serials[battery.SerialNumber]++
	}
	items := make([]proto.Message, len(batteries))
	for i, battery := range batteries {
		if battery.SerialNumber != "" && serials[battery.SerialNumber] == 1 {
			battery.Name = ""
		}
		items[i] = battery
	}
	return items
}

// supply is a power supply of the kernel (Linux, ABI/testing/sysfs-class-power).
type supply struct {
	host      *host.Host
	directory string
}

func (s supply) text(name string) string { return s.host.Attribute(s.directory + name) }

func (s supply) read() *inventoryv1.Battery {
	return &inventoryv1.Battery{
		SerialNumber:      s.text("serial_number"),
		Manufacturer:      s.text("manufacturer"),
		Model:             s.text("model_name"),
		Chemistry:         known(s.text("technology")),
		DesignCapacityMwh: s.capacity("_full_design"),
		FullCapacityMwh:   s.capacity("_full"),
		CycleCount:        positive(s.number("cycle_count")), // drivers return 0 if they cannot count
		ChargePercent:     s.number("capacity"),
		State:             known(strings.ToLower(s.text("status"))),
	}
}

// capacity returns a capacity in mWh. The kernel reports it in µWh or in µAh, which the design
// voltage converts.
func (s supply) capacity(name string) *uint32 {
	if energy, err := strconv.ParseUint(s.text("energy"+name), 10, 64); err == nil {
		return milli(energy, 1000)
	}
	charge, err := strconv.ParseUint(s.text("charge"+name), 10, 32)
	voltage, voltageErr := strconv.ParseUint(s.text("voltage_min_design"), 10, 32) // µV
	if err != nil || voltageErr != nil {
		return nil
	}
	return milli(charge*voltage, 1e9)
}

// milli returns nil for 0, which firmware reports for what it does not know.
func milli(value, unit uint64) *uint32 {
	value /= unit
	if value == 0 || value > math.MaxUint32 {
		return nil
	}
	return proto.Uint32(uint32(value))
}

func (s supply) number(name string) *uint32 {
	n, err := strconv.ParseUint(s.text(name), 10, 32)
	if err != nil {
		return nil
	}
	return proto.Uint32(uint32(n))
}

func positive(n *uint32) *uint32 {
	if n != nil && *n == 0 {
		return nil
	}
	return n
}

func known(text string) string {
	if strings.EqualFold(text, "unknown") {
		return ""
	}
	return text
}
