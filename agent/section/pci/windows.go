package pci

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/pnp"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// collectWindows reads the devices that Windows has found. It does not use ghw, which has no PCI
// devices on Windows.
func collectWindows(h *host.Host) ([]proto.Message, error) {
	devices, err := pnp.Read(h, "PCI")
	if err == nil && len(devices) == 0 {
		err = fmt.Errorf("%w: the machine has no PCI bus", host.ErrUnsupported)
	}
	items := make([]proto.Message, len(devices))
	for i, d := range devices {
		item := &inventoryv1.PciDevice{
			Address:  Address(d),
			VendorId: d.Number("VEN_"), DeviceId: d.Number("DEV_"), Revision: d.Number("REV_"), Class: class(d),
			Driver: d.Key.Text("Service"), Name: d.Name(), Manufacturer: d.Text("Mfg"),
		}
		item.SubsystemVendorId, item.SubsystemId = Subsystem(d)
		items[i] = item
	}
	return items, err
}

// Address returns the address in the form "0000:00:1f.6", or the device's instance if Windows does
// not know the address, as of a device that an administrator disabled.
func Address(d pnp.Device) string {
	if d.Bus == nil || d.Address == nil {
		return d.Instance
	}
	return fmt.Sprintf("%04x:%02x:%02x.%x", *d.Bus>>8, *d.Bus&0xff, *d.Address>>16, *d.Address&0xffff)
}

// Subsystem returns empty texts for bridges and old devices, which have no subsystem.
func Subsystem(d pnp.Device) (vendor, id string) {
	digits := d.Number("SUBSYS_")
	if len(digits) != 8 || digits == "00000000" {
		return "", ""
	}
	return digits[4:], digits[:4]
}

// class returns the class with the programming interface. Some ids have it without.
func class(d pnp.Device) string {
	for _, value := range []string{"HardwareID", "CompatibleIDs"} {
		for _, id := range d.Key.Texts(value) {
			if digits := pnp.Digits(id, "CC_"); len(digits) == 6 {
				return digits
			}
		}
	}
	return d.Number("CC_")
}
