package memory

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	report, err := profiler.Read(ctx, h, host.HardwareProfile)
	if err != nil {
		return nil, err
	}
	return FromProfile(report)
}

// FromProfile returns the memory slots that a report of system_profiler describes. Soldered memory
// is one item.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	var items []*inventoryv1.Memory
	ecc := ""
	for n := range report.All("SPMemoryDataType") {
		if text := n.Text("global_ecc_state", "ECC"); text != "" {
			ecc = errorCorrection(text)
		}
		if item := fromNode(n); item != nil {
			item.ErrorCorrection = ecc
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("the report does not describe memory: %w", host.ErrUnsupported)
	}
	named := map[string]uint32{}
	for _, item := range items {
		named[item.Locator]++
	}
	seen := map[string]uint32{}
	list := make([]proto.Message, len(items))
	for i, item := range items {
		if seen[item.Locator]++; item.Locator == "" || named[item.Locator] > 1 {
			item.Ordinal = proto.Uint32(seen[item.Locator])
		}
		list[i] = item
	}
	return list, nil
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
