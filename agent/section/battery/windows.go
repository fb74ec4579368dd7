package battery

import (
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collectWindows(h *host.Host) ([]proto.Message, error) {
	found, err := h.Batteries()
	var batteries []*inventoryv1.Battery
	for _, b := range found {
		if item := ofWindows(b); item != nil {
			batteries = append(batteries, item)
		}
	}
	if len(batteries) == 0 && err == nil {
		err = fmt.Errorf("%w: the machine has no battery", host.ErrUnsupported)
	}
	return keyed(batteries), err
}

// The layout of BATTERY_INFORMATION, in bytes, and its capabilities (Microsoft, poclass.h).
const (
	informationSize = 36
	capabilities    = 0
	chemistry       = 8
	designed        = 12
	fullCharge      = 16
	cycles          = 32

	ofSystem       = 0x80000000 // BATTERY_SYSTEM_BATTERY
	relative       = 0x40000000 // BATTERY_CAPACITY_RELATIVE: capacities have no unit
	ofShortTerm    = 0x20000000 // BATTERY_IS_SHORT_TERM: an uninterruptible power supply
	unknownDecimal = 0xffffffff
)

// ofWindows returns nil for a battery that does not power the machine.
func ofWindows(b host.Battery) *inventoryv1.Battery {
	if len(b.Information) < informationSize {
		return nil
	}
	field := func(offset int) uint32 { return binary.LittleEndian.Uint32(b.Information[offset:]) }
	kind := field(capabilities)
	if kind&ofSystem == 0 || kind&ofShortTerm != 0 {
		return nil
	}
	item := &inventoryv1.Battery{
		SerialNumber: b.SerialNumber,
		Name:         b.Instance,
		Model:        b.Name,
		Manufacturer: b.Manufacturer,
		Chemistry:    strings.TrimRight(string(b.Information[chemistry:chemistry+4]), "\x00 "),
		CycleCount:   positive(proto.Uint32(field(cycles))),
		State:        state(b.Status),
	}
	full := field(fullCharge)
	if kind&relative == 0 {
		item.DesignCapacityMwh, item.FullCapacityMwh = decimal(field(designed)), decimal(full)
	}
	if len(b.Status) >= 8 && full > 0 && full != unknownDecimal {
		if now := binary.LittleEndian.Uint32(b.Status[4:]); now != unknownDecimal {
			percent := min(uint64(now)*100/uint64(full), 100)
			item.ChargePercent = proto.Uint32(uint32(percent))
		}
	}
	return item
}

// decimal returns nil for the numbers that stand for an unknown one.
func decimal(n uint32) *uint32 {
	if n == 0 || n == unknownDecimal {
		return nil
	}
	return &n
}

// state reads BATTERY_STATUS.PowerState.
func state(status []byte) string {
	const onLine, discharging, charging = 1, 2, 4
	if len(status) < 4 {
		return ""
	}
	switch bits := binary.LittleEndian.Uint32(status); {
	case bits&charging != 0:
		return "charging"
	case bits&discharging != 0:
		return "discharging"
	case bits&onLine != 0:
		return "not charging"
	default:
		return ""
	}
}
