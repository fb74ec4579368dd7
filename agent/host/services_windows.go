package host

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// maxServices bounds the list of services, in bytes. A machine has about 100 KiB.
const maxServices = 16 << 20

// services makes one request for all services. Package mgr would make several for each.
func services() ([]ServiceStatus, error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return nil, fmt.Errorf("open service manager: %w", err)
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }()
	for size := uint32(256 << 10); ; {
		// The structures have pointers to the texts after them. The buffer consists of bytes,
		// because the garbage collector must not take a text for a pointer.
		buf := make([]byte, size)
		var needed, count uint32
		err := windows.EnumServicesStatusEx(manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32,
			windows.SERVICE_STATE_ALL, &buf[0], size, &needed, &count, nil, nil)
		if errors.Is(err, windows.ERROR_MORE_DATA) && size < maxServices {
			size += needed
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list services: %w", err)
		}
		first := (*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buf[0]))
		list := statuses(unsafe.Slice(first, min(int(count), len(buf)/int(unsafe.Sizeof(*first)))))
		runtime.KeepAlive(buf)
		return list, nil
	}
}

func statuses(found []windows.ENUM_SERVICE_STATUS_PROCESS) []ServiceStatus {
	list := make([]ServiceStatus, len(found))
	for i, s := range found {
		list[i] = ServiceStatus{
			Name:        windows.UTF16PtrToString(s.ServiceName),
			DisplayName: windows.UTF16PtrToString(s.DisplayName),
			Type:        s.ServiceStatusProcess.ServiceType,
			State:       s.ServiceStatusProcess.CurrentState,
		}
	}
	return list
}
