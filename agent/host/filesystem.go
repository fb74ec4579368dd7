package host

import "fmt"

// FileSystemSize returns the size of the file system mounted at mountPoint and the part that an
// ordinary user may still fill, both in bytes. It waits for the file system, and a file system on a
// dead network never answers: call it for local ones only.
func (h *Host) FileSystemSize(mountPoint string) (total, free uint64, err error) {
	if !h.Live() {
		return 0, 0, fmt.Errorf("file system size in a tree: %w", ErrUnsupported)
	}
	return fileSystemSize(mountPoint)
}
