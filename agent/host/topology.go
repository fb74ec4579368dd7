package host

import "fmt"

// ProcessorTopology returns the structures SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX of Windows with
// all relations.
func (h *Host) ProcessorTopology() ([]byte, error) {
	if !h.Live() {
		return nil, fmt.Errorf("processors of a tree: %w", ErrUnsupported)
	}
	return processorTopology()
}

// TPMVersion returns the version of the TPM that Windows uses, or "" if it uses none.
func (h *Host) TPMVersion() (string, error) {
	if !h.Live() {
		return "", fmt.Errorf("TPM of a tree: %w", ErrUnsupported)
	}
	return tpmVersion()
}
