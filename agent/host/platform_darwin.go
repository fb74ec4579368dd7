package host

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// platform returns neither name nor version, because gopsutil would start the process sw_vers for
// them.
func platform() (Platform, error) {
	var p Platform
	boot, err1 := unix.SysctlTimeval("kern.boottime")
	if err1 == nil {
		p.BootTime = time.Unix(boot.Sec, 0)
	}
	memory, err2 := unix.SysctlUint64("hw.memsize")
	p.MemoryBytes = memory
	if err := errors.Join(err1, err2); err != nil {
		return p, fmt.Errorf("sysctl: %w", err)
	}
	return p, nil
}
