//go:build !windows

package host

import "fmt"

func disks() ([]Disk, error) { return nil, fmt.Errorf("disks outside files: %w", ErrUnsupported) }

func volumes() ([]Volume, error) {
	return nil, fmt.Errorf("volumes outside files: %w", ErrUnsupported)
}
