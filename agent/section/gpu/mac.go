package gpu

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FromProfile returns the graphics processors that a report of system_profiler describes. The
// report has no PCI addresses, so the system's name of a processor distinguishes it from others.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	items := profiler.Items(report, "SPDisplaysDataType", ofNode)
	paths := map[string]int{}
	for _, item := range items {
		paths[item.BusPath]++
	}
	kept := items[:0]
	for _, item := range items { // two equal ones in built-in slots
		if paths[item.BusPath]--; paths[item.BusPath] == 0 {
			kept = append(kept, item)
		}
	}
	return profiler.Found(kept, "a graphics processor")
}

// ofNode returns nil for a display, which is below its processor in the text of a report.
func ofNode(n *profiler.Node) *inventoryv1.Gpu {
	model := n.Text("sppci_model", "Chipset Model")
	if model == "" {
		return nil
	}
	item := &inventoryv1.Gpu{
		BusPath: n.Text("sppci_slot_name", "Slot"), Name: model,
		VendorId: vendorID(n.Text("spdisplays_vendor", "Vendor")),
		DeviceId: pciID(n.Text("spdisplays_device-id", "Device ID")),
	}
	if item.BusPath == "" {
		item.BusPath = n.Name
	}
	// A processor that is built into the main one uses the memory of the system.
	if bus := n.Text("sppci_bus", "Bus"); bus != "spdisplays_builtin" && bus != "Built-In" && bus != "" {
		size := n.MemoryBytes(
			"spdisplays_vram", "_spdisplays_vram", "spdisplays_vram_shared", "VRAM (Total)", "VRAM (Dynamic, Max)",
		)
		if size > 0 {
			item.VramBytes = &size
		}
	}
	return item
}

// vendors are those that a report names without their PCI id.
var vendors = map[string]string{"Intel": "8086", "AMD": "1002", "NVIDIA": "10de", "Apple": "106b"}

// vendorID reads "AMD (0x1002)", "sppci_vendor_amd" or "Intel".
func vendorID(text string) string {
	if name, id, found := strings.Cut(text, "(0x"); found && name != "" {
		return pciID("0x" + strings.TrimSuffix(id, ")"))
	}
	text = strings.TrimPrefix(text, "sppci_vendor_")
	for name, id := range vendors {
		if strings.EqualFold(name, text) {
			return id
		}
	}
	return ""
}

// pciID reads four hexadecimal digits.
func pciID(text string) string {
	digits, found := strings.CutPrefix(strings.ToLower(text), "0x")
	if !found || len(digits) != 4 || strings.Trim(digits, "0123456789abcdef") != "" {
		return ""
	}
	return digits
}
