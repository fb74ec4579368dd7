package pci

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/ioregistry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// collectMac reads the devices in the I/O registry. A Mac without PCI has none.
func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	nodes, err := ioregistry.Read(ctx, h, host.PCIRegistry)
	if err != nil {
		return nil, err
	}
	return ofRegistry(nodes)
}

// ofRegistry leaves out devices whose address is not known. Apple's processors have several PCI
// buses with equal numbers; a device whose numbers another one also has gets the name of its port.
func ofRegistry(nodes []ioregistry.Node) ([]proto.Message, error) {
	count := map[string]int{}
	for _, n := range nodes {
		count[address(n.Text("pcidebug"))]++
	}
	var items []proto.Message
	used := map[string]bool{}
	for _, n := range nodes {
		at := address(n.Text("pcidebug"))
		if count[at] > 1 || at == "" {
			at = port(n)
		}
		item := ofNode(n)
		if at == "" || used[at] || item.VendorId == "" {
			continue
		}
		used[at] = true
		item.Address = at
		items = append(items, item)
	}
	if left := len(nodes) - len(items); left > 0 {
		return items, fmt.Errorf("%d of %d PCI devices have no address of their own", left, len(nodes))
	}
	return items, nil
}

func ofNode(n ioregistry.Node) *inventoryv1.PciDevice {
	item := &inventoryv1.PciDevice{
		VendorId: n.Hex("vendor-id", 4), DeviceId: n.Hex("device-id", 4), Class: n.Hex("class-code", 6),
		Revision: n.Hex("revision-id", 2), Name: n.Text("model"),
	}
	if vendor := n.Hex("subsystem-vendor-id", 4); vendor != "0000" {
		item.SubsystemVendorId, item.SubsystemId = vendor, n.Hex("subsystem-id", 4)
	}
	return item
}

// address converts the numbers of bus, device and function, which are decimal: "0:31:3", or
// "0:28:0(4:4)" for a bridge.
func address(text string) string {
	text, _, _ = strings.Cut(text, "(")
	f := strings.Split(text, ":")
	if len(f) != 3 {
		return ""
	}
	var numbers [3]uint64
	for i, bits := range []int{8, 5, 3} {
		n, err := strconv.ParseUint(f[i], 10, bits)
		if err != nil {
			return ""
		}
		numbers[i] = n
	}
	return fmt.Sprintf("0000:%02x:%02x.%x", numbers[0], numbers[1], numbers[2])
}

// port returns the name of an object and its place below its parent, e.g. "wlan@0".
func port(n ioregistry.Node) string {
	name, location := n.Text("IORegistryEntryName"), n.Text("IORegistryEntryLocation")
	if name == "" || location == "" {
		return ""
	}
	return name + "@" + location
}
