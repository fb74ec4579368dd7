package host

import (
	"fmt"
	"time"
)

// Platform is what a system other than Linux says of itself through its own interfaces. Linux says it in files.
type Platform struct {
	Name        string // e.g. "Microsoft Windows 11 Pro"
	Version     string
	BootTime    time.Time // zero: not known
	MemoryBytes uint64    // 0: not known
}

// Platform asks the system about itself.
func (h *Host) Platform() (Platform, error) {
	if !h.Live() {
		return Platform{}, fmt.Errorf("platform of a tree: %w", ErrUnsupported)
	}
	return platform()
}
