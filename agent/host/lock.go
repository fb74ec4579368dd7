package host

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("locked by another process")

// lockPoll is how often a lock is tried again: systems have no portable wait with a deadline.
const lockPoll = 50 * time.Millisecond

// Lock takes hold of a file for this process alone, waiting a while for another one to let go of it. The lock ends with
// the file's Close, or with the process. The file is made where there is none, and stays: it holds nothing.
func Lock(name string, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a name of the agent's own
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(lockPoll)
	defer again.Stop()
	for deadline := time.Now().Add(wait); ; <-again.C {
		err := tryLock(f)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, ErrLocked) || time.Now().After(deadline) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
	}
}
