//go:build !linux && !windows

package host

import (
	"fmt"
	"runtime"
)

func (h *Host) systemSMBIOS() (table, entryPoint []byte, err error) {
	return nil, nil, fmt.Errorf("%w: no SMBIOS table on %s", ErrUnsupported, runtime.GOOS)
}
