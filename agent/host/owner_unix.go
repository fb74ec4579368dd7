//go:build unix

package host

import (
	"io/fs"
	"syscall"
)

// ownerOf returns the user that a file belongs to.
func ownerOf(info fs.FileInfo) (uid uint32, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, true
}

// readNow makes opening a named pipe return at once instead of waiting for a writer.
const readNow = syscall.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY

// systemDrive is the drive of names that begin with a slash. Only Windows has drives.
func systemDrive() string { return "" }
