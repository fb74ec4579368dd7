//go:build !windows

package host

import "fmt"

func processorTopology() ([]byte, error) {
	return nil, fmt.Errorf("processors outside files: %w", ErrUnsupported)
}

func tpmVersion() (string, error) { return "", fmt.Errorf("TPM outside files: %w", ErrUnsupported) }
