package reconcile

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// diskFacts are those of the section storage that are read here.
type diskFacts struct {
	SerialNumber     string  `json:"serial_number"`
	WWN              string  `json:"wwn"`
	Model            string  `json:"model"`
	Vendor           string  `json:"vendor"`
	FirmwareRevision string  `json:"firmware_revision"`
	SizeBytes        *uint64 `json:"size_bytes"`
	MediaType        string  `json:"media_type"`
	Bus              string  `json:"bus"`
	Removable        bool    `json:"removable"`
}

var (
	// outsideBuses are those of disks that are not in the machine: they hang on it, or are on a network.
	outsideBuses = []string{"usb", "iscsi", "fc"}
	// virtualBuses are those of disks that a hypervisor made.
	virtualBuses = []string{"virtio", "xen", "hyperv"}
	// virtualMakers begin the vendor or the model of disks that a hypervisor made and shows on a real bus.
	virtualMakers = []string{"qemu", "vbox", "vmware", "msft", "virtual", "google", "xen", "amazon elastic"}
)

// storageDevices are the disks in the machine that can be told from others: a disk that says neither serial number
// nor WWN would be another one whenever the kernel names it anew.
func (m machine) storageDevices() []inventory.Component {
	if !m.ownHardware() {
		return nil
	}
	var parts []inventory.Component
	for _, d := range m.disks {
		serial := m.genuine("serial_number", d.SerialNumber)
		if (serial != "" || d.WWN != "") && d.builtIn() && !d.virtual() {
			parts = append(parts, m.storageDevice(d, serial))
		}
	}
	return parts
}

func (m machine) storageDevice(d diskFacts, serial string) inventory.Component {
	a := attributes{}
	a.text("manufacturer", m.genuine("manufacturer", d.Vendor))
	a.text("model", m.genuine("model", d.Model))
	a.text("serial_number", serial)
	a.text("wwn", d.WWN)
	a.number("size_bytes", d.SizeBytes)
	a.text("media_type", d.MediaType)
	a.text("bus", d.Bus)
	a.text("firmware_revision", d.FirmwareRevision)
	return inventory.Component{
		Class:      inventory.ClassStorageDevice,
		Key:        key(d.SerialNumber, d.WWN),
		Attributes: inventory.Attributes(a),
		Identifiers: inventory.RawIdentifiers{
			Manufacturer: d.Vendor,
			Model:        d.Model,
			SerialNumber: d.SerialNumber,
			Disks:        []inventory.DiskID{d.id()},
		},
		Relationship: inventory.RelationshipContains,
		Inverse:      true,
	}
}

func (d diskFacts) id() inventory.DiskID {
	return inventory.DiskID{
		Manufacturer: d.Vendor, Model: d.Model, SerialNumber: d.SerialNumber, WWN: d.WWN, Bus: d.Bus, Removable: d.Removable,
	}
}

func (d diskFacts) builtIn() bool {
	return !d.Removable && d.MediaType != "optical" && !slices.Contains(outsideBuses, d.Bus)
}

func (d diskFacts) virtual() bool {
	return slices.Contains(virtualBuses, d.Bus) || slices.ContainsFunc(virtualMakers, func(maker string) bool {
		return strings.HasPrefix(strings.ToLower(d.Vendor), maker) || strings.HasPrefix(strings.ToLower(d.Model), maker)
	})
}
