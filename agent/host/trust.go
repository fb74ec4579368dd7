package host

// FirmwareVariable reads a variable of UEFI by its name and the GUID of its vendor in braces. It is
// unsupported on a machine that was started by a BIOS. Linux has files for the variables.
func (h *Host) FirmwareVariable(name, vendor string) ([]byte, error) {
	return ask(h, "firmware variable", name+vendor, func() ([]byte, error) {
		return readFirmwareVariable(name, vendor)
	})
}

// TPMProperties returns the answer of a TPM 2.0 to TPM2_GetCapability for its fixed properties,
// from TPM_PT_MANUFACTURER on (TCG, TPM 2.0 Library part 3 §30.2).
func (h *Host) TPMProperties() ([]byte, error) {
	return ask(h, "TPM properties", "", tpmProperties)
}

// CodeIntegrity returns which checks of code the kernel of Windows does (Microsoft,
// SYSTEM_CODEINTEGRITY_INFORMATION).
func (h *Host) CodeIntegrity() (uint32, error) {
	return ask(h, "code integrity", "", codeIntegrity)
}
