package host

import (
	"errors"
	"fmt"
	"time"

	gopsutil "github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
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
	swap, swapErr := mem.SwapMemory()
	if swapErr == nil {
		p.SwapBytes = swap.Total
	}
	if err := errors.Join(err, bootErr, memoryErr, swapErr); err != nil {
		return p, fmt.Errorf("platform: %w", err)
	}
	return p, nil
}
