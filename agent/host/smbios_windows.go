package host

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// rawSMBIOS is the provider 'RSMB' of GetSystemFirmwareTable.
const rawSMBIOS = 'R'<<24 | 'S'<<16 | 'M'<<8 | 'B'

// systemSMBIOS reads the table from Windows. A header with the version precedes the table, in place
// of an entry point.
func systemSMBIOS() (table, entryPoint []byte, err error) {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemFirmwareTable")
	if err := call.Find(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	size, _, err := call.Call(rawSMBIOS, 0, 0, 0)
	if size == 0 {
		return nil, nil, fmt.Errorf("get size of smbios table: %w", err)
	}
	if size > maxSMBIOS {
		return nil, nil, fmt.Errorf("smbios table of %d bytes: more than %d", size, maxSMBIOS)
	}
	buffer := make([]byte, size)
	written, _, err := call.Call(rawSMBIOS, 0, uintptr(unsafe.Pointer(&buffer[0])), size)
	if written == 0 || written > size {
		return nil, nil, fmt.Errorf("get smbios table: %w", err)
	}
	return buffer[:written], nil, nil
}
