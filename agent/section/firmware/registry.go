package firmware

import (
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of the firmware. Windows copies them from the firmware when it starts.
const (
	biosKey       = `HKLM\HARDWARE\DESCRIPTION\System\BIOS`
	controlKey    = `HKLM\SYSTEM\CurrentControlSet\Control`
	secureBootKey = controlKey + `\SecureBoot\State`
)

// modes are the values of PEFirmwareType (Microsoft, FIRMWARE_TYPE).
var modes = map[uint64]string{1: "bios", 2: "uefi"}

// fromWindows adds what Windows has outside the SMBIOS table, and the strings of a table that
// cannot be read.
func fromWindows(h *host.Host, item *inventoryv1.Firmware) {
	if !h.IsWindows() {
		return
	}
	readWindowsMode(h, item)
	if item.Mode == "uefi" {
		item.SecureBootSetupMode = setupMode(h)
	}
	readWindowsTPM(h, item)
	if bios, err := h.RegistryKey(biosKey); err == nil && !described(item) {
		item.Vendor, item.Version = bios.Text("BIOSVendor"), bios.Text("BIOSVersion")
		item.ReleaseDate, item.Revision = bios.Text("BIOSReleaseDate"), release(bios)
	}
}

func readWindowsMode(h *host.Host, item *inventoryv1.Firmware) {
	if control, err := h.RegistryKey(controlKey); err == nil {
		kind, _ := control.Number("PEFirmwareType") // since Windows 8
		item.Mode = modes[kind]
	}
	if state, err := h.RegistryKey(secureBootKey); err == nil {
		if enabled, ok := state.Number("UEFISecureBootEnabled"); ok {
			item.SecureBoot = new(enabled == 1)
		}
	}
}

// setupMode returns nil if the agent may not read the variable, which only administrators may.
func setupMode(h *host.Host) *bool {
	value, err := h.FirmwareVariable("SetupMode", "{"+strings.TrimPrefix(globalVariable, "-")+"}")
	if err != nil || len(value) != 1 {
		return nil
	}
	return new(value[0] == 1)
}

// SecureBootOfWindows reports whether UEFI starts only signed programs, and how the machine was
// started: "uefi", "bios" or "", which means that Windows does not say.
func SecureBootOfWindows(h *host.Host) (on *bool, mode string) {
	item := &inventoryv1.Firmware{}
	readWindowsMode(h, item)
	return item.SecureBoot, item.Mode
}

// release returns "major.minor". SMBIOS has 255 for an unknown number (SMBIOS 3.7 §7.1).
func release(bios host.RegistryKey) string {
	major, ok1 := bios.Number("BiosMajorRelease")
	minor, ok2 := bios.Number("BiosMinorRelease")
	if !ok1 || !ok2 || major >= 255 || minor >= 255 {
		return ""
	}
	return strconv.FormatUint(major, 10) + "." + strconv.FormatUint(minor, 10)
}
