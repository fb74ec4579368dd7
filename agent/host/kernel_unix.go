//go:build !windows

package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func kernel() (Kernel, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return Kernel{}, fmt.Errorf("uname: %w", err)
	}
	return Kernel{
		Hostname: unix.ByteSliceToString(name.Nodename[:]),
		Release:  unix.ByteSliceToString(name.Release[:]),
		Arch:     unix.ByteSliceToString(name.Machine[:]),
	}, nil
}
