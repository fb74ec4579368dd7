//go:build !windows

package host

import "fmt"

func services() ([]ServiceStatus, error) {
	return nil, fmt.Errorf("services outside files: %w", ErrUnsupported)
}
