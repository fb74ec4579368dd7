package host

import (
	"fmt"
	"time"
)

// BirthTime returns the creation time of a file. Many file systems do not record it.
func (h *Host) BirthTime(name string) (time.Time, error) {
	if !h.Live() { // in a tree it may be the time of the copy
		return time.Time{}, fmt.Errorf("birth time in a tree: %w", ErrUnsupported)
	}
	return birthTime(name)
}
