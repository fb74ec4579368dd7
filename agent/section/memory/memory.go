// Package memory collects the memory slots, filled and empty, from the SMBIOS table. Without a
// table that the agent may read, it reports the memory of the whole machine as one item. It never
// reports how much memory the system can use; the section os does. Start reading at collect.
package memory

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section memory.
func Collector() section.Collector {
	return section.Collector{Name: "memory", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return collectMac(ctx, h)
	}
	table, err := smbios.Read(h)
	items, err := FromTable(&table, err)
	if len(items) > 0 {
		return items, err
	}
	all := total(h)
	if all == nil {
		return nil, err
	}
	if errors.Is(err, host.ErrUnsupported) || errors.Is(err, smbios.ErrNoTable) {
		err = nil // the kernel's data is all there is
	}
	return []proto.Message{all}, err
}

// FromTable returns one item per memory slot of the table. err is the error from reading the table.
func FromTable(table *smbios.Table, err error) ([]proto.Message, error) {
	devices := table.MemoryDevices()
	named := map[slotName]int{}
	for _, device := range devices {
		named[nameOf(device)]++
	}
	var items []proto.Message
	seen := map[slotName]uint32{}
	for _, device := range devices {
		item, name := newItem(device), nameOf(device)
		if seen[name]++; named[name] > 1 || name.nameless() {
			item.Ordinal = proto.Uint32(seen[name])
		}
		items = append(items, item)
	}
	if len(items) == 0 && err == nil {
		err = fmt.Errorf("%w: the SMBIOS table lists no memory slot", host.ErrUnsupported)
	}
	return items, err
}

// slotName is the table's name of a slot. Firmware may use one name, or none, for several slots, as
// with soldered chips. Without an ordinal, two equal modules would be one item.
type slotName struct{ locator, bank string }

func nameOf(d smbios.MemoryDevice) slotName { return slotName{d.Locator, d.Bank} }

func (s slotName) nameless() bool { return s == slotName{} }

func newItem(d smbios.MemoryDevice) *inventoryv1.Memory {
	item := &inventoryv1.Memory{
		Locator:         d.Locator,
		Bank:            d.Bank,
		MemoryType:      d.Type,
		FormFactor:      d.FormFactor,
		Speed:           known(d.Speed),
		ConfiguredSpeed: known(d.ConfiguredSpeed),
		Manufacturer:    d.Manufacturer,
		PartNumber:      d.PartNumber,
		SerialNumber:    d.SerialNumber,
		AssetTag:        d.AssetTag,
		ErrorCorrection: d.ErrorCorrection,
	}
	if d.SizeKnown {
		item.SizeBytes = &d.Size
	}
	return item
}

// known returns nil for 0, which means that the table does not have the number.
func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}
