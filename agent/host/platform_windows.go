package host

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	gopsutil "github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"golang.org/x/sys/windows"
)

func platform() (Platform, error) {
	name, _, version, err := gopsutil.PlatformInformation()
	p := Platform{Name: name, Version: version}
	boot, bootErr := gopsutil.BootTime()
	if bootErr == nil {
		p.BootTime = time.Unix(int64(boot), 0) //nolint:gosec // seconds since 1970
	}
	memory, memoryErr := mem.VirtualMemory()
	if memoryErr == nil {
		p.MemoryBytes = memory.Total
	}
	p.SwapBytes = pagingFiles()
	if err := errors.Join(err, bootErr, memoryErr); err != nil {
		return p, fmt.Errorf("platform: %w", err)
	}
	return p, nil
}

// pagingFiles returns the size of all paging files, or 0 if it is unknown. It does not use
// gopsutil, whose SwapMemory starts a performance query, and whose SwapDevices takes another of the
// 2,000 callbacks that a process may have at each call.
func pagingFiles() uint64 {
	status := struct { // MEMORYSTATUSEX; the commit limit is that of memory and paging files
		length, load                   uint32
		physical, freePhysical         uint64
		commitLimit, freeCommit        uint64
		virtual, freeVirtual, extended uint64
	}{length: 64}
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&status))); ok == 0 || status.commitLimit < status.physical {
		return 0
	}
	return status.commitLimit - status.physical
}
