//go:build !windows

package host

import (
	"fmt"
	"runtime"
)

func systemSMBIOS() (table, entryPoint []byte, err error) {
	return nil, nil, fmt.Errorf("%w: no SMBIOS table on %s", ErrUnsupported, runtime.GOOS)
}
