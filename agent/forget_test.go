package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/state"
)

func TestForget(t *testing.T) {
	t.Parallel()
	var command forgetCommand
	command.State = enrolledDir(t, newIdentity(t, nobody, time.Now()), state.Status{})
	s, err := state.Open(command.State)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := command.Run(&out); err == nil || !strings.Contains(err.Error(), "another muster-agent") {
		t.Errorf("while an agent runs: %v", err)
	}
	if _, err := state.ReadIdentity(command.State); err != nil {
		t.Errorf("the identity: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := command.Run(&out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(command.State); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}
