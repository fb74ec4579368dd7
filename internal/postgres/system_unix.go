//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lockFile locks a cluster's directory for this process. The kernel releases the lock when the
// process ends; the server does not inherit it.
func lockFile(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a file of our own directory
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another process runs the cluster in this directory (it holds the lock %s)", name)
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return f, nil
}

// lockTimeout is how long to wait for the lock. A child process has a copy of each open file
// between fork and exec, so a lock that was just released may still be held for a moment.
const lockTimeout = 2 * time.Second

func flock(f *os.File) error {
	deadline := time.After(lockTimeout)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-again.C:
		case <-deadline:
			return err
		}
	}
}

func ownerOf(info fs.FileInfo) *account {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return &account{uid: int(stat.Uid), gid: int(stat.Gid)}
}

// freeSpace returns the space that users other than root can fill on a disk.
func freeSpace(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	//nolint:gosec,unconvert // the types differ between systems; no disk has 2⁶³ bytes
	return int64(s.Bavail) * int64(s.Bsize), nil
}
