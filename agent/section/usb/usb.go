// Package usb collects the section "usb_device": the devices on the USB, as they describe
// themselves. It never opens a device. Start reading at collect.
//
// It does not use ghw's package usb, which reports neither serial number nor port, so that two
// devices of one model are one.
package usb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section usb_device.
func Collector() section.Collector {
	return section.Collector{Name: "usb_device", Collect: collect}
}

const devices = "/sys/bus/usb/devices"

// collect reads the kernel's list of devices "1-4.2" and interfaces "1-4.2:1.0" (Linux,
// ABI/stable/sysfs-bus-usb). Names "usb1" are root hubs, which are part of the controllers.
func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsWindows() {
		return collectWindows(h)
	}
	if h.IsMac() {
		return collectMac(ctx, h)
	}
	entries, err := h.ReadDir(devices)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist", host.ErrUnsupported, devices)
	}
	if err != nil {
		return nil, err
	}
	var items []proto.Message
	byPath := map[string]*inventoryv1.UsbDevice{}
	for _, entry := range entries { // a device comes before its interfaces
		if err := ctx.Err(); err != nil {
			return items, err
		}
		name := entry.Name()
		device, _, isInterface := strings.Cut(name, ":")
		switch {
		case strings.HasPrefix(name, "usb"):
		case isInterface:
			if item := byPath[device]; item != nil {
				addInterface(h, item, name)
			}
		default:
			if item := read(h, name); item != nil {
				byPath[name] = item
				items = append(items, item)
			}
		}
	}
	for _, item := range byPath {
		slices.Sort(item.InterfaceClasses)
		item.InterfaceClasses = slices.Compact(item.InterfaceClasses)
		slices.Sort(item.Drivers)
		item.Drivers = slices.Compact(item.Drivers)
	}
	return items, nil
}

// read returns nil if the device was removed meanwhile.
func read(h *host.Host, name string) *inventoryv1.UsbDevice {
	attribute := func(attribute string) string { return h.Attribute(devices + "/" + name + "/" + attribute) }
	item := &inventoryv1.UsbDevice{
		BusPath: name, VendorId: attribute("idVendor"), ProductId: attribute("idProduct"),
		SerialNumber: attribute("serial"), Name: attribute("product"), Manufacturer: attribute("manufacturer"),
		Class: attribute("bDeviceClass"), Revision: attribute("bcdDevice"),
	}
	if item.VendorId == "" {
		return nil
	}
	switch attribute("removable") { // else the firmware does not know
	case "fixed":
		item.Removable = proto.Bool(false)
	case "removable":
		item.Removable = proto.Bool(true)
	}
	speed, _, _ := strings.Cut(attribute("speed"), ".") // "1.5" for low speed
	if mbps, err := strconv.ParseUint(speed, 10, 32); err == nil {
		item.SpeedMbps = proto.Uint32(uint32(mbps))
	}
	return item
}

func addInterface(h *host.Host, item *inventoryv1.UsbDevice, name string) {
	if class := h.Attribute(devices + "/" + name + "/bInterfaceClass"); class != "" {
		item.InterfaceClasses = append(item.InterfaceClasses, class)
	}
	if driver, err := h.Readlink(devices + "/" + name + "/driver"); err == nil {
		item.Drivers = append(item.Drivers, path.Base(driver))
	}
}
