package gpu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/pci"
	"github.com/musterhq/muster/agent/section/pnp"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// displayAdapters is the setup class of display adapters, GUID_DEVCLASS_DISPLAY.
const displayAdapters = "{4d36e968-e325-11ce-bfc1-08002be10318}"

// collectWindows reads the display adapters that Windows has found, and the display controllers
// without a driver, which are in no setup class. It does not use ghw, which starts a request of WMI
// and has neither the bus nor the memory beyond 4 GiB.
func collectWindows(h *host.Host) ([]proto.Message, error) {
	adapters, adaptersErr := pnp.Read(h, displayAdapters)
	onBus, busErr := pnp.Read(h, "PCI")
	var items []proto.Message
	known := map[string]bool{}
	for _, d := range adapters {
		if isHardware(d) {
			known[d.Instance] = true
			items = append(items, ofWindows(h, d))
		}
	}
	for _, d := range onBus {
		if !known[d.Instance] && strings.HasPrefix(d.Number("CC_"), strings.TrimPrefix(displayClass, "0x")) {
			items = append(items, ofWindows(h, d))
		}
	}
	err := errors.Join(adaptersErr, busErr)
	if len(items) == 0 && err == nil {
		err = fmt.Errorf("%w: no display controller", host.ErrUnsupported)
	}
	return items, err
}

// isHardware excludes adapters that a program makes, such as those of remote sessions.
func isHardware(d pnp.Device) bool {
	bus, _, _ := d.Split()
	return !strings.EqualFold(bus, "ROOT") && !strings.EqualFold(bus, "SWD")
}

func ofWindows(h *host.Host, d pnp.Device) *inventoryv1.Gpu {
	driver := d.Driver(h)
	item := &inventoryv1.Gpu{
		BusPath:       d.Instance,
		Name:          driver.Text("DriverDesc"),
		VendorId:      d.Number("VEN_"),
		DeviceId:      d.Number("DEV_"),
		Driver:        d.Key.Text("Service"),
		DriverVersion: driver.Text("DriverVersion"),
		DriverDate:    date(driver.Text("DriverDate")),
		VramBytes:     memory(driver),
	}
	if item.Name == "" {
		item.Name = d.Name()
	}
	if bus, _, _ := d.Split(); strings.EqualFold(bus, "PCI") {
		item.BusPath = pci.Address(d)
		item.SubsystemVendorId, item.SubsystemId = pci.Subsystem(d)
	}
	return item
}

// date converts "3-17-2022", with the month first.
func date(text string) string {
	at, err := time.Parse("1-2-2006", text)
	if err != nil {
		return ""
	}
	return at.Format(time.DateOnly)
}

// mostOf32Bits is what drivers write for memory that 32 bits cannot express.
const mostOf32Bits = 0xfff00000

// memory returns the size that the driver states, or nil. Drivers write numbers as such or as
// bytes.
func memory(driver host.RegistryKey) *uint64 {
	if size := size(driver, "HardwareInformation.qwMemorySize"); size > 0 {
		return proto.Uint64(size)
	}
	if size := size(driver, "HardwareInformation.MemorySize"); size > 0 && size < mostOf32Bits {
		return proto.Uint64(size)
	}
	return nil
}

func size(driver host.RegistryKey, name string) uint64 {
	if n, ok := driver.Number(name); ok {
		return n
	}
	switch data := driver.Bytes(name); len(data) {
	case 4:
		return uint64(binary.LittleEndian.Uint32(data))
	case 8:
		return binary.LittleEndian.Uint64(data)
	default:
		return 0
	}
}
