//go:build !windows

package host

import "fmt"

func registryKey(string) (RegistryKey, error) {
	return RegistryKey{}, fmt.Errorf("registry: %w", ErrUnsupported)
}
