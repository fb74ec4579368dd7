// Package state is what the agent remembers between two runs: who it is, what the collector acknowledged, and how the
// last check-in went. Each stands in a file of its own, so that a damaged one costs no more than it must: without
// identity.json the agent has to be enrolled again, without acknowledged.bin the next check-in sends everything, without
// status.json nothing is lost. It knows nothing of the network and never decides what to send.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/musterhq/muster/agent/host"
)

const (
	lockFile         = "lock"
	identityFile     = "identity.json"
	acknowledgedFile = "acknowledged.bin"
	statusFile       = "status.json"
)

// lockWait is how long Open waits for another process to let go of the state: an agent that is being stopped
// needs a moment.
const lockWait = time.Second

// State is an agent's memory in a directory. One process holds it at a time; it is not safe for concurrent use.
// It keeps little of it in memory: an agent that waits has no use for an inventory.
type State struct {
	dir  string
	made bool // whether Open made the directory
	lock *os.File
	meta meta
}

// Open takes hold of the state in a directory, which it makes if there is none. What the collector acknowledged is moved
// aside if it is damaged, and is empty then. Close lets go of the state.
func Open(dir string) (*State, error) {
	made, err := makeDir(dir)
	if err != nil {
		return nil, err
	}
	lock, err := host.Lock(filepath.Join(dir, lockFile), lockWait)
	if errors.Is(err, host.ErrLocked) {
		return nil, fmt.Errorf("another muster-agent uses %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s := &State{dir: dir, made: made, lock: lock}
	if err := s.load(); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("open state: %w", err)
	}
	return s, nil
}

// Close lets go of the state.
func (s *State) Close() error { return s.lock.Close() }

// Discard lets go of a state in which nothing was written, and leaves things as Open found them.
func (s *State) Discard() error {
	if err := s.Close(); err != nil {
		return err
	}
	if !s.made {
		return nil
	}
	if err := os.Remove(filepath.Join(s.dir, lockFile)); err != nil {
		return err
	}
	return os.Remove(s.dir)
}

// makeDir refuses a directory that others may look into rather than change the mode of one that may not be ours.
func makeDir(dir string) (made bool, err error) {
	_, err = os.Stat(dir)
	made = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("make state directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return false, fmt.Errorf("look at state directory: %w", err)
	}
	// Windows has no such bits; there the directory inherits the rights of its parent.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return false, fmt.Errorf("the state directory %s is open to other users (mode %04o): make it 0700 or choose another", dir, mode)
	}
	return made, nil
}
