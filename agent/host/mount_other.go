//go:build !darwin

package host

import "fmt"

func mounts() ([]Mount, error) { return nil, fmt.Errorf("list of mounts: %w", ErrUnsupported) }
