package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Health is what the agent remembers of a section that failed. It outlives the process, because a
// section may end the process.
type Health struct {
	Failures     int       `json:"failures"` // in a row
	SkippedUntil time.Time `json:"skipped_until,omitzero"`
	Reason       string    `json:"reason"` // of the last failure
}

// Health returns the health of the sections that failed, by name. A missing or invalid file returns
// none.
func (s *State) Health() map[string]Health {
	data, err := os.ReadFile(filepath.Join(s.dir, healthFile))
	if err != nil {
		return nil
	}
	var health map[string]Health
	if json.Unmarshal(data, &health) != nil {
		return nil
	}
	return health
}

// SetHealth stores the health of the sections that failed.
func (s *State) SetHealth(health map[string]Health) error {
	data, err := json.Marshal(health)
	if err != nil {
		return fmt.Errorf("encode health of sections: %w", err)
	}
	if err := replaceFile(filepath.Join(s.dir, healthFile), data); err != nil {
		return fmt.Errorf("write health of sections: %w", err)
	}
	return nil
}

// Collecting returns the section that an earlier process was collecting when it ended without a
// word, or "".
func (s *State) Collecting() string {
	data, err := os.ReadFile(filepath.Join(s.dir, collectingFile))
	if err != nil {
		return ""
	}
	return string(data)
}

// SetCollecting notes the section that is being collected, or with "" that none is. The note need
// not survive a power loss, so it costs only a write to the page cache.
func (s *State) SetCollecting(section string) error {
	name := filepath.Join(s.dir, collectingFile)
	if section != "" {
		return os.WriteFile(name, []byte(section), 0o600)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
