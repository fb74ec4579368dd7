package host

import (
	"fmt"
	"time"
)

// BirthTime says when the file system says that a file was made. Many file systems do not know.
func (h *Host) BirthTime(name string) (time.Time, error) {
	if !h.Live() { // a tree's files may have been born when they were copied
		return time.Time{}, fmt.Errorf("birth time in a tree: %w", ErrUnsupported)
	}
	return birthTime(name)
}
