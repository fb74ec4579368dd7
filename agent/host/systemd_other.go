//go:build !linux

package host

import (
	"context"
	"fmt"
)

func systemdServices(context.Context, string) ([]SystemdUnit, error) {
	return nil, fmt.Errorf("systemd: %w", ErrUnsupported)
}
