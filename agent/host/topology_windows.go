package host

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// maxTopology bounds the structures, in bytes. A machine with 2,048 processors has about 400 KiB.
const maxTopology = 4 << 20

// relationAll requests all relations (LOGICAL_PROCESSOR_RELATIONSHIP).
const relationAll = 0xffff

func processorTopology() ([]byte, error) {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetLogicalProcessorInformationEx")
	if err := call.Find(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	var size uint32
	_, _, err := call.Call(relationAll, 0, uintptr(unsafe.Pointer(&size)))
	if size == 0 || size > maxTopology {
		return nil, fmt.Errorf("size of the processors' description: %d bytes: %w", size, err)
	}
	buf := make([]byte, size)
	ok, _, err := call.Call(relationAll, uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)))
	if ok == 0 {
		return nil, fmt.Errorf("describe processors: %w", err)
	}
	return buf[:min(int(size), len(buf))], nil
}

// noTPM is the result TBS_E_TPM_NOT_FOUND.
const noTPM = 0x8028400f

func tpmVersion() (string, error) {
	call := windows.NewLazySystemDLL("tbs.dll").NewProc("Tbsi_GetDeviceInfo")
	if err := call.Find(); err != nil { // before Windows 8
		return "", fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	var info struct{ structVersion, tpmVersion, interfaceType, revision uint32 } // TPM_DEVICE_INFO
	result, _, _ := call.Call(unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)))
	switch {
	case result == noTPM:
		return "", nil
	case result != 0:
		return "", fmt.Errorf("ask for the TPM: result %#x", result)
	case info.tpmVersion == 1:
		return "1.2", nil
	case info.tpmVersion == 2:
		return "2.0", nil
	default:
		return "", nil
	}
}
