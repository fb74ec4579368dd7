package host

import "fmt"

// PCIDevice is one function of a device on a PCI bus. The ids are lower-case hexadecimal digits.
type PCIDevice struct {
	Address           string // domain:bus:device.function, e.g. "0000:00:1f.6"
	VendorID          string
	DeviceID          string
	SubsystemVendorID string
	SubsystemID       string
	Class             string // class, subclass and programming interface, six digits
	Revision          string
	Driver            string // empty: none is bound
}

// PCIDevices returns the devices on the PCI buses, sorted by address. A machine without PCI has
// none; its error is ErrUnsupported.
func (h *Host) PCIDevices() ([]PCIDevice, error) {
	if h.tape != nil {
		return ask(h, "PCI devices", "", func() ([]PCIDevice, error) { return h.tape.source.PCIDevices() })
	}
	entries, err := h.ReadDir(pciDevices)
	if err != nil || len(entries) == 0 {
		return nil, fmt.Errorf("%w: no device in %s", ErrUnsupported, pciDevices)
	}
	devices, err := pciList(h.root)
	if err == nil && len(devices) < len(entries) {
		err = fmt.Errorf("%d of %d PCI devices in %s are readable", len(devices), len(entries), pciDevices)
	}
	return devices, err
}

const pciDevices = "/sys/bus/pci/devices"

// TPM is a trusted platform module. An empty field is unknown.
type TPM struct {
	SpecVersion  string // of the specification, e.g. "2.0"
	Manufacturer string // short name, e.g. "IFX"
	Firmware     string
}

// TPMs returns the trusted platform modules that the kernel drives.
func (h *Host) TPMs() ([]TPM, error) {
	if h.tape != nil {
		return ask(h, "TPMs", "", func() ([]TPM, error) { return h.tape.source.TPMs() })
	}
	return tpmList(h.root)
}
