//go:build !linux

package host

import (
	"fmt"
	"runtime"
)

func pciList(string) ([]PCIDevice, error) {
	return nil, fmt.Errorf("%w: PCI devices are not collected on %s", ErrUnsupported, runtime.GOOS)
}

func tpmList(string) ([]TPM, error) {
	return nil, fmt.Errorf("%w: TPMs are not collected on %s", ErrUnsupported, runtime.GOOS)
}
