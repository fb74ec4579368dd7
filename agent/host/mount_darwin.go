package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func mounts() ([]Mount, error) {
	n, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil {
		return nil, fmt.Errorf("getfsstat: %w", err)
	}
	list := make([]unix.Statfs_t, n)
	if n, err = unix.Getfsstat(list, unix.MNT_NOWAIT); err != nil {
		return nil, fmt.Errorf("getfsstat: %w", err)
	}
	found := make([]Mount, 0, n)
	for i := range list[:min(n, len(list))] {
		m := &list[i]
		found = append(found, Mount{
			Point:  unix.ByteSliceToString(m.Mntonname[:]),
			Device: unix.ByteSliceToString(m.Mntfromname[:]),
			Type:   unix.ByteSliceToString(m.Fstypename[:]),
			Local:  m.Flags&unix.MNT_LOCAL != 0,
			Hidden: m.Flags&unix.MNT_DONTBROWSE != 0,
			Total:  m.Blocks * uint64(m.Bsize),
			Free:   m.Bavail * uint64(m.Bsize),
		})
	}
	return found, nil
}
