package memory

import (
	"context"
	"encoding/hex"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// collectMac falls back to the size of all memory.
func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	items, err := profiler.Ask(ctx, h, host.MemoryProfile, FromProfile)
	if len(items) > 0 {
		return items, err
	}
	size, sizeErr := h.SysctlNumber("hw.memsize")
	if sizeErr != nil || size == 0 {
		return nil, err
	}
	return []proto.Message{&inventoryv1.Memory{SizeBytes: &size, IsTotal: true}}, err
}

// FromProfile returns the memory slots that a report of system_profiler describes. Soldered memory
// is one item.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	ecc := ""
	items := profiler.Items(report, "SPMemoryDataType", func(n *profiler.Node) *inventoryv1.Memory {
		if text := n.Text("global_ecc_state", "ECC"); text != "" { // of the slots that follow
			ecc = errorCorrection(text)
		}
		item := fromNode(n)
		if item != nil {
			item.ErrorCorrection = ecc
		}
		return item
	})
	named := map[string]uint32{}
	for _, item := range items {
		named[item.Locator]++
	}
	seen := map[string]uint32{}
	for _, item := range items {
		if seen[item.Locator]++; item.Locator == "" || named[item.Locator] > 1 {
			item.Ordinal = proto.Uint32(seen[item.Locator])
		}
	}
	return profiler.Found(items, "memory")
}

// The words of an empty slot and of an unknown value.
const (
	emptySlot    = "empty"
	unknownValue = "-"
)

// fromNode returns nil for a node that only groups slots.
func fromNode(n *profiler.Node) *inventoryv1.Memory {
	size := n.Text("dimm_size", "Size", "SPMemoryDataType", "Memory")
	if size == "" {
		return nil
	}
	text := func(names ...string) string {
		value := n.Text(names...)
		if word := strings.ToLower(strings.TrimPrefix(value, "dimm_")); word == emptySlot || word == unknownValue {
			return ""
		}
		return value
	}
	item := &inventoryv1.Memory{
		Locator:      n.Name,
		MemoryType:   text("dimm_type", "Type"),
		Speed:        known(n.MHz("dimm_speed", "Speed")),
		Manufacturer: text("dimm_manufacturer", "Manufacturer"),
		PartNumber:   printable(text("dimm_part_number", "Part Number")),
		SerialNumber: text("dimm_serial_number", "Serial Number"),
	}
	if n.Text("dimm_size", "Size") == "" { // soldered: the node's name is that of the list
		item.Locator = ""
	}
	switch bytes := n.MemoryBytes("dimm_size", "Size", "SPMemoryDataType", "Memory"); {
	case bytes > 0:
		item.SizeBytes = proto.Uint64(bytes)
	case strings.EqualFold(strings.TrimPrefix(size, "dimm_"), emptySlot):
		item.SizeBytes = proto.Uint64(0)
	}
	return item
}

// printable decodes a part number that the module stores as text and the report prints as
// hexadecimal digits: "0x3848..." is "8H...".
func printable(text string) string {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok {
		return text
	}
	data, err := hex.DecodeString(digits)
	if err != nil {
		return text
	}
	decoded := strings.TrimRight(string(data), "\x00 ")
	for _, c := range []byte(decoded) {
		if c < ' ' || c > '~' {
			return text
		}
	}
	return decoded
}

// errorCorrection returns the terms of the SMBIOS table.
func errorCorrection(text string) string {
	switch strings.ToLower(strings.TrimPrefix(text, "ecc_")) {
	case "enabled":
		return "" // of which kind is not known
	case "disabled":
		return "None"
	default:
		return ""
	}
}
