package host

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const drmConnectors = "/sys/class/drm"

// maxEDID is the length of an EDID with all 255 extensions, in bytes (VESA E-EDID 1.4 §2.2).
const maxEDID = 256 * 128

// Connector is a connector with a display attached.
type Connector struct {
	Name string // the kernel's name, e.g. "HDMI-A-1"; on Windows that of the display's device
	EDID []byte // empty if the display has none, as in many virtual machines
}

// Connectors returns the connectors that have a display, sorted by name. The error names those that
// cannot be read; the list leaves them out.
func (h *Host) Connectors() ([]Connector, error) {
	if h.Live() && h.System() != "linux" {
		devices, err := ask(h, "monitors", "", monitors)
		if len(devices) == 0 {
			return nil, err
		}
		list, failed := h.registeredMonitors(devices)
		return list, errors.Join(err, failed)
	}
	entries, err := h.ReadDir(drmConnectors)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist", ErrUnsupported, drmConnectors)
	}
	if err != nil {
		return nil, err
	}
	var list []Connector
	var failed []error
	for _, entry := range entries {
		card, name, found := strings.Cut(entry.Name(), "-")
		if !found || !strings.HasPrefix(card, "card") {
			continue
		}
		edid, attached, err := h.connector(drmConnectors + "/" + entry.Name())
		if err != nil {
			failed = append(failed, err)
		} else if attached {
			list = append(list, Connector{Name: name, EDID: edid})
		}
	}
	return list, errors.Join(failed...)
}

func (h *Host) connector(dir string) (edid []byte, attached bool, err error) {
	status, err := h.ReadFile(dir+"/status", 64)
	if errors.Is(err, fs.ErrNotExist) { // the device is not a connector
		return nil, false, nil
	}
	if err != nil || strings.TrimSpace(string(status)) != "connected" {
		return nil, false, err
	}
	edid, err = h.ReadFile(dir+"/edid", maxEDID)
	if err != nil {
		return nil, false, err
	}
	return edid, true, nil
}

// registeredMonitors returns the displays with the given device instances, such as
// `DISPLAY\DEL4321\5&1&0&UID4352`. Windows keeps the EDID of each in the registry.
func (h *Host) registeredMonitors(instances []string) ([]Connector, error) {
	var list []Connector
	var failed []error
	for _, instance := range instances {
		key, err := h.RegistryKey(DeviceKey + instance + `\Device Parameters`)
		if errors.Is(err, fs.ErrNotExist) { // a display without EDID, as of a virtual machine
			err = nil
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		name := instance[strings.LastIndexByte(instance, '\\')+1:]
		list = append(list, Connector{Name: name, EDID: key.Bytes("EDID")})
	}
	slices.SortFunc(list, func(a, b Connector) int { return strings.Compare(a.Name, b.Name) })
	return list, errors.Join(failed...)
}
