// Package pnp reads what Windows knows about the devices on a bus: those that are present, with
// their registry keys. It knows the formats that the buses share and not what a section makes of
// them. Start reading at Read.
package pnp

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// Device is a device that is present, with its registry key.
type Device struct {
	host.Device

	Key host.RegistryKey
}

// Read returns the devices of a bus or of a setup class: see host.Devices. The error names the keys
// that cannot be read; their devices are left out.
func Read(h *host.Host, filter string) ([]Device, error) {
	found, err := h.Devices(filter)
	errs := []error{err}
	var list []Device
	for _, d := range found {
		key, err := h.RegistryKey(host.DeviceKey + d.Instance)
		if errors.Is(err, fs.ErrNotExist) { // it was removed meanwhile
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, Device{Device: d, Key: key})
	}
	return list, errors.Join(errs...)
}

// Split returns the three parts of the device's instance: its bus, its kind and the last part,
// which distinguishes devices of one kind.
func (d Device) Split() (bus, kind, last string) {
	bus, rest, _ := strings.Cut(d.Instance, `\`)
	kind, last, _ = strings.Cut(rest, `\`)
	return bus, kind, last
}

// Number returns the hexadecimal digits after a name in one of the device's ids, in lower case. The
// ids are like `PCI\VEN_8086&DEV_1502&SUBSYS_21CE17AA&REV_04`, the most specific first. It returns
// "" if no id has the name.
func (d Device) Number(name string) string {
	for _, value := range []string{"HardwareID", "CompatibleIDs"} {
		for _, id := range d.Key.Texts(value) {
			if digits := Digits(id, name); digits != "" {
				return digits
			}
		}
	}
	return ""
}

// Digits returns the hexadecimal digits after a name in an id, in lower case.
func Digits(id, name string) string {
	_, id, _ = strings.Cut(strings.ToLower(id), `\`)
	for part := range strings.SplitSeq(id, "&") {
		if digits, found := strings.CutPrefix(part, strings.ToLower(name)); found && digits != "" &&
			strings.Trim(digits, "0123456789abcdef") == "" {
			return digits
		}
	}
	return ""
}

// Name returns the name that people know the device by: that of its driver's own, else that of its
// kind.
func (d Device) Name() string {
	if name := d.Text("FriendlyName"); name != "" {
		return name
	}
	return d.Text("DeviceDesc")
}

// Text returns a text of the key. A text of a driver may be a reference with the text itself at the
// end, as in "@oem1.inf,%intel%;Intel".
func (d Device) Text(name string) string {
	text := d.Key.Text(name)
	if !strings.HasPrefix(text, "@") {
		return text
	}
	_, plain, _ := strings.Cut(text, ";")
	return plain
}

// driverClass has a subkey for each driver of a device, named by its class and a number.
const driverClass = `HKLM\SYSTEM\CurrentControlSet\Control\Class\`

// Driver returns the registry key of the device's driver. It has no values if the device has none.
func (d Device) Driver(h *host.Host) host.RegistryKey {
	name := d.Key.Text("Driver")
	if name == "" {
		return host.RegistryKey{}
	}
	key, err := h.RegistryKey(driverClass + name)
	if err != nil { // no one may have removed it, but it is not worth the device
		return host.RegistryKey{}
	}
	return key
}
