//go:build !linux

package host

import "fmt"

func fileSystemSize(string) (total, free uint64, err error) {
	return 0, 0, fmt.Errorf("file system size: %w", ErrUnsupported)
}
