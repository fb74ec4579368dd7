//go:build !linux

package host

import (
	"fmt"
	"time"
)

func birthTime(string) (time.Time, error) {
	return time.Time{}, fmt.Errorf("birth time: %w", ErrUnsupported)
}
