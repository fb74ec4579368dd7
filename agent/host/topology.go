package host

// ProcessorTopology returns the structures SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX of Windows with
// all relations.
func (h *Host) ProcessorTopology() ([]byte, error) {
	return ask(h, "processor topology", "", processorTopology)
}

// TPMVersion returns the version of the TPM that Windows uses, or "" if it uses none.
func (h *Host) TPMVersion() (string, error) {
	return ask(h, "TPM version", "", tpmVersion)
}
