package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/jaypipes/pcidb"

	"github.com/musterhq/muster/internal/catalog"
)

// bus is a bus whose devices have a maker's id and an id of their own.
type bus struct {
	name  string
	field string // of an item, with the id of the device
	// files are the places of the database of names, in the packages pci.ids, usb.ids, hwdata and
	// usbutils of Linux distributions; the first that exists counts.
	files []string
}

var (
	pciBus = bus{"PCI", "device_id", []string{"/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids"}}
	usbBus = bus{"USB", "product_id", []string{
		"/usr/share/hwdata/usb.ids", "/var/lib/usbutils/usb.ids", "/usr/share/misc/usb.ids",
	}}
)

// names reads the bus's database of names. Without one, items show ids only.
func (b bus) names(logger *slog.Logger) catalog.DeviceNames {
	for _, file := range b.files {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		names, err := readDeviceNames(file)
		if err != nil {
			logger.Warn("devices are shown without names", "bus", b.name, "file", file, "error", err)
		}
		return names
	}
	logger.Info("devices are shown without names: the database of their ids is not installed",
		"bus", b.name, "files", b.files)
	return catalog.DeviceNames{}
}

// readDeviceNames reads a file in the format of pci.ids. usb.ids has the same format.
func readDeviceNames(file string) (names catalog.DeviceNames, err error) {
	defer func() {
		if recover() != nil { // the library expects a minimum length of each line
			names, err = catalog.DeviceNames{}, errors.New("not in the format of pci.ids")
		}
	}()
	db, err := pcidb.New(pcidb.WithPath(file))
	if err != nil {
		return catalog.DeviceNames{}, fmt.Errorf("read names of devices: %w", err)
	}
	names = catalog.DeviceNames{Vendors: map[string]string{}, Devices: map[string]string{}}
	for id, vendor := range db.Vendors {
		names.Vendors[id] = vendor.Name
	}
	for _, device := range db.Products {
		names.Devices[device.VendorID+":"+device.ID] = device.Name
	}
	return names, nil
}
