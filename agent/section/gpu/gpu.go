// Package gpu collects the section "gpu": the graphics processors on the PCI buses, also those
// without a driver, and those that are part of a system on a chip. It never opens a device. Start
// reading at collect.
package gpu

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section gpu.
func Collector() section.Collector {
	return section.Collector{Name: "gpu", Collect: collect}
}

const (
	pciDevices = "/sys/bus/pci/devices/"
	drmCards   = "/sys/class/drm"
	nvidiaGPUs = "/proc/driver/nvidia/gpus/"
)

// maxInformation bounds NVIDIA's description of a device, in bytes; a typical one has 400.
const maxInformation = 4096

// displayClass is the class of display controllers (PCI Code and ID Assignment Specification §1.4).
const displayClass = "0x03"

// collect reads the ids of display controllers itself. host.PCIDevices would read all devices a
// second time, after the section pci_device.
func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsWindows() {
		return collectWindows(h)
	}
	if h.IsMac() {
		return profiler.Ask(ctx, h, host.DisplaysProfile, FromProfile)
	}
	entries, err := h.ReadDir(strings.TrimSuffix(pciDevices, "/"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var items []proto.Message
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return items, err
		}
		if strings.HasPrefix(h.Attribute(pciDevices+entry.Name()+"/class"), displayClass) {
			items = append(items, fromPCI(h, entry.Name()))
		}
	}
	items = append(items, onChip(h)...)
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: no display controller", host.ErrUnsupported)
	}
	return items, nil
}

func fromPCI(h *host.Host, address string) *inventoryv1.Gpu {
	attribute := func(name string) string { return h.Attribute(pciDevices + address + "/" + name) }
	id := func(name string) string { return strings.TrimPrefix(attribute(name), "0x") }
	item := &inventoryv1.Gpu{BusPath: address, VendorId: id("vendor"), DeviceId: id("device")}
	if vendor := id("subsystem_vendor"); vendor != "0000" {
		item.SubsystemVendorId, item.SubsystemId = vendor, id("subsystem_device")
	}
	if driver, err := h.Readlink(pciDevices + address + "/driver"); err == nil {
		item.Driver = path.Base(driver)
		item.DriverVersion = driverVersion(h, item.Driver)
	}
	// amdgpu reports the dedicated memory, in bytes (Linux, Documentation/gpu/amdgpu).
	if size, err := strconv.ParseUint(attribute("mem_info_vram_total"), 10, 64); err == nil {
		item.VramBytes = &size
	}
	if information, err := h.ReadFile(nvidiaGPUs+address+"/information", maxInformation); err == nil {
		item.Name = nvidiaModel(string(information))
	}
	return item
}

// driverVersion returns the version of a driver that is not part of the kernel's source.
func driverVersion(h *host.Host, driver string) string {
	return h.Attribute("/sys/module/" + driver + "/version")
}

// nvidiaModel finds the line "Model: \t\t NVIDIA GeForce RTX 3080".
func nvidiaModel(information string) string {
	for line := range strings.Lines(information) {
		if name, found := strings.CutPrefix(line, "Model:"); found {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

// onChip returns the graphics processors of the DRM subsystem that are not on a PCI bus. A card
// without a parent device is emulated by the kernel.
func onChip(h *host.Host) []proto.Message {
	entries, err := h.ReadDir(drmCards)
	if err != nil {
		return nil
	}
	var items []proto.Message
	for _, entry := range entries {
		number, found := strings.CutPrefix(entry.Name(), "card")
		if _, err := strconv.ParseUint(number, 10, 16); !found || err != nil {
			continue
		}
		device := drmCards + "/" + entry.Name() + "/device"
		target, err := h.Readlink(device)
		subsystem, subsystemErr := h.Readlink(device + "/subsystem")
		if err != nil || subsystemErr != nil || path.Base(subsystem) != "platform" {
			continue
		}
		driver, err := h.Readlink(device + "/driver")
		if err != nil {
			continue
		}
		driver = path.Base(driver)
		items = append(items, &inventoryv1.Gpu{
			BusPath: path.Base(target), Driver: driver, DriverVersion: driverVersion(h, driver),
		})
	}
	return items
}
