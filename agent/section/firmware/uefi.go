package firmware

import (
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// efiVariables is the directory with one file per UEFI variable.
const efiVariables = "/sys/firmware/efi/efivars/"

// globalVariable is the GUID of the variables that the standard defines (UEFI 2.10 §3.3).
const globalVariable = "-8be4df61-93ca-11d2-aa0d-00e098032b8c"

// readMode sets how the machine was started. The absence of UEFI means BIOS only if the kernel
// exposes the firmware at all; in a container it exposes neither.
func readMode(h *host.Host, item *inventoryv1.Firmware) {
	if _, err := h.Stat("/sys/firmware/efi"); err != nil {
		if _, err := h.Stat("/sys/firmware/dmi"); err == nil {
			item.Mode = "bios"
		}
		return
	}
	item.Mode = "uefi"
	item.SecureBoot = SecureBoot(h)
	item.SecureBootSetupMode = efiFlag(h, "SetupMode")
}

// SecureBoot reports whether UEFI starts only signed programs, or nil if the firmware does not say.
func SecureBoot(h *host.Host) *bool { return efiFlag(h, "SecureBoot") }

// efiFlag reads a variable of one byte, which follows four bytes of attributes (Linux, efivarfs).
// It returns nil if the variable does not exist.
func efiFlag(h *host.Host, name string) *bool {
	const attributes = 4
	value, err := h.ReadFile(efiVariables+name+globalVariable, 64)
	if err != nil || len(value) != attributes+1 {
		return nil
	}
	set := value[attributes] == 1
	return &set
}

// readTPM describes the first TPM, which is that of the machine.
func readTPM(h *host.Host, item *inventoryv1.Firmware) {
	item.TpmVersion = tpmVersion(h)
	modules, err := h.TPMs()
	if err != nil || len(modules) == 0 {
		return
	}
	item.TpmManufacturer, item.TpmFirmware = modules[0].Manufacturer, modules[0].Firmware
}

// tpmVersion returns the version of the TPM's specification, or "" if the kernel drives no TPM.
func tpmVersion(h *host.Host) string {
	major, err := h.ReadFile("/sys/class/tpm/tpm0/tpm_version_major", 64)
	if err != nil {
		return ""
	}
	switch text := strings.TrimSpace(string(major)); text {
	case "1":
		return "1.2" // the only 1.x version that the kernel drives
	case "2":
		return "2.0"
	default:
		return text
	}
}
