package host

// Device is a device that the Plug and Play manager of Windows has found and that is present. The
// registry has the rest: see DeviceKey.
type Device struct {
	Instance string  // `PCI\VEN_8086&DEV_1502\3&11583659&0&C8`: bus, kind and instance
	Location string  // path of slots and ports, `PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(4)`; empty if unknown
	Reported string  // what the device calls itself; empty if unknown
	Bus      *uint32 // nil if the device's bus has no numbers; of PCI: segment<<8 | bus
	Address  *uint32 // on its bus; nil if unknown; of PCI: device<<16 | function
}

// Devices returns the devices that are present on a bus, such as "PCI", or the devices of a setup
// class, whose name is a GUID in braces.
func (h *Host) Devices(filter string) ([]Device, error) {
	return ask(h, "devices", filter, func() ([]Device, error) { return devices(filter) })
}

// DeviceKey has a registry key for each device that was ever present, named by its instance.
const DeviceKey = `HKLM\SYSTEM\CurrentControlSet\Enum\`

// Battery is a battery as its driver describes it: the structures of Windows (Microsoft,
// poclass.h).
type Battery struct {
	Instance     string // as of a Device
	Information  []byte // BATTERY_INFORMATION
	Status       []byte // BATTERY_STATUS; nil if the driver does not know it
	Name         string
	Manufacturer string
	SerialNumber string
}

// Batteries returns the batteries in the machine, without those that are removed.
func (h *Host) Batteries() ([]Battery, error) {
	return ask(h, "batteries", "", batteries)
}
