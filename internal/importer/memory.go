package importer

import (
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// memories returns the memory slots. As in our own agent's inventories, an ordinal separates slots
// with the same name.
func (m *machine) memories() []entry {
	entries := m.entries("memories")
	named := map[string]int{}
	for _, n := range entries {
		named[n.get("caption")]++
	}
	var items []entry
	seen := map[string]uint32{}
	for _, n := range entries {
		item := m.memory(n)
		if seen[item.Locator]++; named[item.Locator] > 1 || item.Locator == "" {
			item.Ordinal = proto.Uint32(seen[item.Locator])
		}
		items = append(items, entry{item, n})
	}
	return items
}

func (m *machine) memory(n *node) *inventoryv1.Memory {
	item := &inventoryv1.Memory{
		Locator:         n.get("caption"),
		MemoryType:      n.get("type"),
		FormFactor:      n.get("formfactor"),
		Manufacturer:    n.get("manufacturer"),
		PartNumber:      n.get("model"),
		SerialNumber:    n.get("serialnumber"),
		ErrorCorrection: n.get("memorycorrection"),
		Speed:           m.count(n, "speed", "MT/s", "MHz"),
	}
	if emptySlot[strings.ToLower(n.get("capacity"))] {
		item.SizeBytes = proto.Uint64(0)
	} else {
		item.SizeBytes = m.size(n, "capacity", mebibyte)
	}
	if description := n.get("description"); item.FormFactor == "" && formFactors[strings.ToLower(description)] {
		item.FormFactor = description
	}
	return item
}

// emptySlot are the words for a slot without a module. A missing capacity may also mean that it is
// unknown.
var emptySlot = map[string]bool{"no": true, "empty": true, "no module installed": true, "not installed": true}

// formFactors are those of SMBIOS 3.7 §7.18.1, in lower case. Agents write other descriptions into
// the same field.
var formFactors = map[string]bool{
	"simm": true, "sip": true, "chip": true, "dip": true, "zip": true, "proprietary card": true, "dimm": true,
	"tsop": true, "row of chips": true, "rimm": true, "sodimm": true, "srimm": true, "fb-dimm": true, "die": true,
	"camm": true,
}
