package host

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

func birthTime(name string) (time.Time, error) {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, name, unix.AT_STATX_DONT_SYNC, unix.STATX_BTIME, &stat); err != nil {
		return time.Time{}, fmt.Errorf("statx %s: %w", name, err)
	}
	if stat.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, fmt.Errorf("birth time of %s: %w", name, ErrUnsupported)
	}
	return time.Unix(stat.Btime.Sec, int64(stat.Btime.Nsec)), nil
}
