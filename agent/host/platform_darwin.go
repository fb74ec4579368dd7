package host

import (
	"errors"
	"fmt"
	"time"

	gopsutil "github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"golang.org/x/sys/unix"
)

// platform returns neither name nor version, because gopsutil would start the process sw_vers for
// them.
func platform() (Platform, error) {
	var p Platform
	boot, bootErr := gopsutil.BootTime()
	if bootErr == nil {
		p.BootTime = time.Unix(int64(boot), 0) //nolint:gosec // seconds since 1970
	}
	memory, memoryErr := unix.SysctlUint64("hw.memsize")
	p.MemoryBytes = memory
	swap, swapErr := mem.SwapMemory()
	if swapErr == nil {
		p.SwapBytes = swap.Total
	}
	if err := errors.Join(bootErr, memoryErr, swapErr); err != nil {
		return p, fmt.Errorf("platform: %w", err)
	}
	return p, nil
}
