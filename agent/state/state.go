// Package state stores what the agent keeps between two runs: its identity, what the collector
// acknowledged, and the result of the last check-in. Each has its own file, so that damage costs as
// little as possible: without identity.json the agent must be enrolled again, without
// acknowledged.bin the next check-in sends everything, without status.json nothing is lost, without
// health.json sections that failed are tried again. The package knows nothing of the network and
// never decides what to send. Start reading at Open in state.go.
package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/musterhq/muster/agent/host"
)

const (
	lockFile         = "lock"
	identityFile     = "identity.json"
	acknowledgedFile = "acknowledged.bin"
	statusFile       = "status.json"
	healthFile       = "health.json"
	collectingFile   = "collecting"
)

// lockWait is how long Open waits for another process to release the state, for example an agent
// that is stopping.
const lockWait = time.Second

// State is the agent's state in a directory. One process holds it at a time; it is not safe for
// concurrent use. It does not keep the inventory in memory, because a waiting agent does not need
// it.
type State struct {
	dir  string
	made bool // whether Open made the directory
	lock *os.File
	meta meta
}

// Open locks the state in a directory, which it makes if it does not exist. It returns an error for
// a directory that other users can read. It moves damaged acknowledged state aside and continues
// without it. Close releases the state.
func Open(dir string) (*State, error) {
	made, err := host.MakePrivate(dir)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	lock, err := host.Lock(filepath.Join(dir, lockFile), lockWait)
	if errors.Is(err, host.ErrLocked) {
		return nil, fmt.Errorf("another muster-agent uses the state directory %s", dir)
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

// Close releases the state.
func (s *State) Close() error { return s.lock.Close() }

// Discard releases a state to which nothing was written, and removes what Open created.
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
