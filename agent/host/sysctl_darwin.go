package host

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

func sysctlText(name string) (string, error) {
	text, err := unix.Sysctl(name)
	if err != nil {
		return "", fmt.Errorf("sysctl %s: %w", name, err)
	}
	return text, nil
}

// sysctlNumber reads numbers of either width.
func sysctlNumber(name string) (uint64, error) {
	raw, err := unix.SysctlRaw(name)
	if err != nil {
		return 0, fmt.Errorf("sysctl %s: %w", name, err)
	}
	switch len(raw) {
	case 4:
		return uint64(binary.NativeEndian.Uint32(raw)), nil
	case 8:
		return binary.NativeEndian.Uint64(raw), nil
	default:
		return 0, fmt.Errorf("sysctl %s: %d bytes", name, len(raw))
	}
}
