package host

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

func fileSystemSize(mountPoint string) (total, free uint64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(mountPoint, &stat); err != nil {
		return 0, 0, &fs.PathError{Op: "statfs", Path: mountPoint, Err: err}
	}
	unit := uint64(stat.Frsize) //nolint:gosec // a size
	if unit == 0 {              // Linux before 2.6.36, statfs(2)
		unit = uint64(stat.Bsize) //nolint:gosec // a size
	}
	return stat.Blocks * unit, stat.Bavail * unit, nil
}
