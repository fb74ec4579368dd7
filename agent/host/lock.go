package host

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrLocked reports that another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// lockPoll is the interval between two attempts, because no portable call waits with a deadline.
const lockPoll = 50 * time.Millisecond

// Lock takes an exclusive lock on a file and waits at most wait for another process to release it.
// Closing the file, or the end of the process, releases the lock. Lock creates the file if it does
// not exist and never removes it; the file stays empty. It opens the file for reading only, because
// the service's user may read, but not write, a file that root created.
func Lock(name string, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|os.O_CREATE, 0o600) //nolint:gosec // a name of the agent's own
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
