package usb

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/pnp"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// rootHub is the beginning of the kind of a controller's own hub.
const rootHub = "ROOT_HUB"

// failedVendor is the vendor of a device that did not describe itself.
const failedVendor = "0000"

// collectWindows reads the devices that Windows has found. A device with several functions has a
// device of its own for each interface, `USB\VID_046D&PID_C52B&MI_00\6&1f2bd028&2&0000`.
func collectWindows(h *host.Host) ([]proto.Message, error) {
	found, err := pnp.Read(h, "USB")
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: the machine has no USB", host.ErrUnsupported)
	}
	interfaces := map[string][]pnp.Device{} // by the prefix of their instances, in lower case
	for _, d := range found {
		if _, kind, last := d.Split(); isInterface(kind) {
			prefix := strings.ToLower(last[:max(strings.LastIndexByte(last, '&'), 0)])
			interfaces[prefix] = append(interfaces[prefix], d)
		}
	}
	var items []proto.Message
	for _, d := range found {
		_, kind, _ := d.Split()
		if isInterface(kind) || strings.HasPrefix(strings.ToUpper(kind), rootHub) || vendor(d) == failedVendor {
			continue
		}
		parts := interfaces[strings.ToLower(d.Key.Text("ParentIdPrefix"))]
		if d.Key.Text("ParentIdPrefix") == "" || len(parts) == 0 {
			parts = []pnp.Device{d}
		}
		items = append(items, ofWindows(d, parts))
	}
	return items, err
}

func isInterface(kind string) bool { return strings.Contains(strings.ToUpper(kind), "&MI_") }

func vendor(d pnp.Device) string {
	_, kind, _ := d.Split()
	return pnp.Digits(`USB\`+kind, "VID_")
}

// ofWindows describes a device. interfaces has the device itself if it has only one.
func ofWindows(d pnp.Device, interfaces []pnp.Device) *inventoryv1.UsbDevice {
	_, kind, last := d.Split()
	item := &inventoryv1.UsbDevice{
		BusPath:      d.Location,
		VendorId:     vendor(d),
		ProductId:    pnp.Digits(`USB\`+kind, "PID_"),
		SerialNumber: Serial(last),
		Name:         strings.TrimSpace(d.Reported),
		Class:        d.Number("DevClass_"),
		Revision:     d.Number("REV_"),
	}
	if item.BusPath == "" { // before Windows Vista
		item.BusPath = d.Instance
	}
	// Windows takes a device for removable unless the firmware says that it is not.
	const removable = 4 // CM_DEVCAP_REMOVABLE
	if capabilities, ok := d.Key.Number("Capabilities"); ok && capabilities&removable == 0 {
		item.Removable = proto.Bool(false)
	}
	for _, i := range interfaces {
		if class := i.Number("Class_"); class != "" {
			item.InterfaceClasses = append(item.InterfaceClasses, class)
		}
		if driver := i.Key.Text("Service"); driver != "" {
			item.Drivers = append(item.Drivers, driver)
		}
	}
	slices.Sort(item.InterfaceClasses)
	slices.Sort(item.Drivers)
	item.InterfaceClasses, item.Drivers = slices.Compact(item.InterfaceClasses), slices.Compact(item.Drivers)
	return item
}

// Serial returns the serial number in the last part of a device's instance. For a device without a
// serial number Windows makes that part from the device's place: "5&47cff6e&0&3".
func Serial(last string) string {
	if len(last) > 1 && last[1] == '&' {
		return ""
	}
	return last
}
