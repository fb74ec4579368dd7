//go:build !windows && !darwin

package host

import "fmt"

func platform() (Platform, error) {
	return Platform{}, fmt.Errorf("platform interfaces: %w", ErrUnsupported)
}
