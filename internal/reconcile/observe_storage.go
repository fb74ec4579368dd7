package reconcile

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// diskFacts are the facts of the section storage that Observe reads.
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
	// outsideBuses are the buses of disks outside the machine: attached or on a network.
	outsideBuses = []string{"usb", "iscsi", "fc"}
	// virtualBuses are the buses of disks that a hypervisor emulates.
	virtualBuses = []string{"virtio", "xen", "hyperv"}
	// virtualMakers are prefixes of the vendor or the model of emulated disks on a real bus.
	virtualMakers = []string{"qemu", "vbox", "vmware", "msft", "virtual", "google", "xen", "amazon elastic"}
)

// storageDevices returns the disks in the machine that have an identifier. A disk without a serial
// number and a WWN would be a new one whenever the kernel renames it.
func (m machine) storageDevices() []inventory.Component {
	if !m.ownHardware() {
		return nil
	}
	var components []inventory.Component
	for _, d := range m.disks {
		serial := m.genuine("serial_number", d.SerialNumber)
		if (serial != "" || d.WWN != "") && d.builtIn() && !d.virtual() {
			components = append(components, m.storageDevice(d, serial))
		}
	}
	return components
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
		Manufacturer: d.Vendor, Model: d.Model, SerialNumber: d.SerialNumber, WWN: d.WWN, Bus: d.Bus,
		Removable: d.Removable,
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
