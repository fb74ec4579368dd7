package usb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/ioregistry"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	nodes, err := ioregistry.Read(ctx, h, host.USBRegistry)
	if err != nil {
		return nil, err
	}
	return ofRegistry(nodes), nil
}

// ofRegistry leaves out the root hubs, which are part of the controllers.
func ofRegistry(nodes []ioregistry.Node) []proto.Message {
	var items []proto.Message
	for _, n := range nodes {
		location, known := n.Number("locationID")
		vendor, hasVendor := n.Number("idVendor")
		path := busPath(uint32(location)) //nolint:gosec // the higher half repeats the highest bit
		if known && hasVendor && path != "" {
			item := ofNode(n)
			item.BusPath, item.VendorId = path, fmt.Sprintf("%04x", vendor)
			items = append(items, item)
		}
	}
	return items
}

// busPath converts a location: eight bits of the bus, then four of the port of each hub, the first
// hub in the highest bits. Zeros end it. A root hub is at no port.
func busPath(location uint32) string {
	const busShift, portMask = 24, 0xF
	var ports []string
	for shift := busShift - 4; shift >= 0; shift -= 4 {
		port := location >> shift & portMask
		if port == 0 {
			break
		}
		ports = append(ports, strconv.FormatUint(uint64(port), 10))
	}
	if len(ports) == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(location>>busShift), 10) + "-" + strings.Join(ports, ".")
}

// speeds are those of the property "Device Speed", in Mbit/s: low, full, high, super, super plus
// with one lane and with two.
var speeds = []uint32{1, 12, 480, 5000, 10000, 20000}

func ofNode(n ioregistry.Node) *inventoryv1.UsbDevice {
	number := func(name string, digits int) string {
		value, known := n.Number(name)
		if !known {
			return ""
		}
		return fmt.Sprintf("%0*x", digits, value)
	}
	item := &inventoryv1.UsbDevice{
		ProductId:    number("idProduct", 4),
		SerialNumber: n.Text("kUSBSerialNumberString", "USB Serial Number"),
		Name:         n.Text("kUSBProductString", "USB Product Name"),
		Manufacturer: n.Text("kUSBVendorString", "USB Vendor Name"),
		Class:        number("bDeviceClass", 2),
		Revision:     number("bcdDevice", 4),
	}
	if fixed, known := n.Yes("non-removable"); known {
		item.Removable = proto.Bool(!fixed)
	} else if builtIn, known := n.Yes("Built-In"); known && builtIn {
		item.Removable = proto.Bool(false)
	}
	if speed, known := n.Number("Device Speed"); known && speed < uint64(len(speeds)) {
		item.SpeedMbps = proto.Uint32(speeds[speed])
	}
	for _, child := range n.Children() {
		if class, known := child.Number("bInterfaceClass"); known {
			item.InterfaceClasses = append(item.InterfaceClasses, fmt.Sprintf("%02x", class))
		}
	}
	slices.Sort(item.InterfaceClasses)
	item.InterfaceClasses = slices.Compact(item.InterfaceClasses)
	return item
}
