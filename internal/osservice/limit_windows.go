package osservice

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// memoryCeiling bounds the memory of a service, in bytes. It is the MemoryMax of the systemd unit.
const memoryCeiling = 128 << 20

// limit gives this process the lowest priority for processor and disk, and bounds its memory. An
// allocation beyond the bound fails, which ends the process.
func limit() error {
	process := windows.CurrentProcess()
	priority := windows.SetPriorityClass(process, windows.IDLE_PRIORITY_CLASS)
	veryLow := uint32(0) // IoPriorityVeryLow
	disk := windows.NtSetInformationProcess(process, windows.ProcessIoPriority,
		unsafe.Pointer(&veryLow), uint32(unsafe.Sizeof(veryLow))) //nolint:gosec // the form of the system call
	if errors.Is(disk, windows.STATUS_NOT_IMPLEMENTED) {
		disk = nil // Wine
	}
	return errors.Join(priority, disk, limitMemory(process))
}

// limitMemory puts the process into a job of its own. The handle of the job is never closed, so the
// job ends with the process.
func limitMemory(process windows.Handle) error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return fmt.Errorf("make a job: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{ProcessMemoryLimit: memoryCeiling}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("limit the memory of a job: %w", err)
	}
	if err := windows.AssignProcessToJobObject(job, process); err != nil {
		return fmt.Errorf("enter a job: %w", err)
	}
	return nil
}
