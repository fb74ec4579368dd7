package host

import (
	"errors"
	"fmt"
	"os"

	gopsutil "github.com/shirou/gopsutil/v4/host"
)

func kernel() (Kernel, error) {
	hostname, err1 := os.Hostname()
	release, err2 := gopsutil.KernelVersion()
	arch, err3 := gopsutil.KernelArch()
	k := Kernel{Hostname: hostname, Release: release, Arch: arch}
	if err := errors.Join(err1, err2, err3); err != nil {
		return k, fmt.Errorf("kernel: %w", err)
	}
	return k, nil
}
