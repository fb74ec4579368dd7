//go:build !windows

package host

import (
	"fmt"
	"runtime"
)

func monitors() ([]string, error) {
	return nil, fmt.Errorf("%w: displays are not collected on %s", ErrUnsupported, runtime.GOOS)
}
