package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// Status is the result of the last check-ins. An agent that restarts after an error reads its wait
// from it.
type Status struct {
	LastAck     time.Time           `json:"last_ack,omitzero"`
	NextCheckIn time.Time           `json:"next_check_in,omitzero"`
	LastError   string              `json:"last_error,omitempty"` // in words; empty after an Ack
	LastErrorAt time.Time           `json:"last_error_at,omitzero"`
	Sections    []Section           `json:"sections,omitempty"`
	Verdicts    []inventory.Verdict `json:"verdicts,omitempty"`
}

// Section is one section of the last acknowledged inventory.
type Section struct {
	Section string           `json:"section"`
	Status  inventory.Status `json:"status"`
	Message string           `json:"message,omitempty"`
	Items   int              `json:"items"`
}

// ReadStatus reads the status in a state directory. It needs no lock. A missing or invalid file
// returns the zero Status.
func ReadStatus(dir string) (Status, error) {
	data, err := os.ReadFile(filepath.Join(dir, statusFile)) //nolint:gosec // the state directory
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}, nil
	}
	if err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	var status Status
	if json.Unmarshal(data, &status) == nil {
		return status, nil
	}
	return Status{}, nil
}

// Status returns the result of the last check-ins.
func (s *State) Status() (Status, error) { return ReadStatus(s.dir) }

// SetStatus stores the result of the last check-in.
func (s *State) SetStatus(status Status) error {
	data, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("encode status: %w", err)
	}
	if err := replaceFile(filepath.Join(s.dir, statusFile), data); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}
