package host

import "fmt"

// FileSystemSize gives the size of the file system mounted at mountPoint and how much of it an ordinary user may
// still fill, in bytes. It waits for the file system, for ever if that is one over a dead network: ask only local ones.
func (h *Host) FileSystemSize(mountPoint string) (total, free uint64, err error) {
	if !h.Live() {
		return 0, 0, fmt.Errorf("file system size in a tree: %w", ErrUnsupported)
	}
	return fileSystemSize(mountPoint)
}
