// Package pci collects the section "pci_device": the devices on the PCI buses by their numeric ids.
// It never looks up a name; the collector knows the names. Start reading at collect.
package pci

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section pci_device.
func Collector() section.Collector {
	return section.Collector{Name: "pci_device", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsWindows() {
		return collectWindows(h)
	}
	if h.IsMac() {
		return collectMac(ctx, h)
	}
	devices, err := h.PCIDevices()
	items := make([]proto.Message, len(devices))
	for i, d := range devices {
		items[i] = &inventoryv1.PciDevice{
			Address: d.Address, VendorId: d.VendorID, DeviceId: d.DeviceID,
			SubsystemVendorId: d.SubsystemVendorID, SubsystemId: d.SubsystemID,
			Class: d.Class, Revision: d.Revision, Driver: d.Driver,
		}
	}
	return items, err
}
