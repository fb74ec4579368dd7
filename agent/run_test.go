package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/state"
)

func TestRunWithoutSettingsIsNotRestarted(t *testing.T) {
	t.Parallel()
	var command runCommand
	command.State = filepath.Join(t.TempDir(), "state")
	_, err := command.open(t.Context(), slog.New(slog.DiscardHandler))
	var code exitError
	if !errors.As(err, &code) || code.ExitCode() != 78 || !strings.Contains(err.Error(), "MUSTER_COLLECTOR") {
		t.Errorf("got %v, want exit code 78", err)
	}
	if _, err := os.Stat(command.State); err == nil {
		t.Error("it made a state directory")
	}
}

func TestRunErasesTheTokenOfAnEnrolledMachine(t *testing.T) {
	t.Parallel()
	var command runCommand
	command.State = enrolledDir(t, newIdentity(t, nobody, time.Now()), state.Status{})
	token := filepath.Join(command.State, tokenFile)
	if err := os.WriteFile(token, []byte("muster_enroll_abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := command.open(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := os.Stat(token); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the token is still there: %v", err)
	}
}
