package host

// FileSystemSize returns the size of the file system mounted at mountPoint and the part that an
// ordinary user may still fill, both in bytes. It waits for the file system, and a file system on a
// dead network never answers: call it for local ones only.
func (h *Host) FileSystemSize(mountPoint string) (total, free uint64, err error) {
	size, err := ask(h, "file system size", mountPoint, func() (sizeAnswer, error) {
		total, free, err := fileSystemSize(mountPoint)
		return sizeAnswer{total, free}, err
	})
	return size.Total, size.Free, err
}

// sizeAnswer is the answer of FileSystemSize in a recording.
type sizeAnswer struct{ Total, Free uint64 }
