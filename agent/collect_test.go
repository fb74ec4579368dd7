package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
)

// TestFailuresOutliveTheProcess: a section that ends the process twice, for instance because the
// system ends a process that takes all memory, is skipped by the third, and the others are
// collected.
func TestFailuresOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	type death struct{}
	var dies bool
	sections := []section.Collector{
		{Name: "os", Collect: func(context.Context, *host.Host) ([]proto.Message, error) { return nil, nil }},
		{Name: "volume", Collect: func(context.Context, *host.Host) ([]proto.Message, error) { return nil, nil }},
	}
	process := func() (got map[string]inventory.Status) {
		s, err := state.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if p := recover(); p != nil && p != (death{}) {
				panic(p)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		runner := newRunner(s, slog.New(slog.DiscardHandler))
		mark := func(name string) {
			if err := s.SetCollecting(name); err != nil {
				t.Error(err)
			}
			if name == "volume" && dies {
				panic(death{})
			}
		}
		got = map[string]inventory.Status{}
		for _, s := range collect(t.Context(), host.Local(), sections, runner, mark).Sections {
			got[s.Section] = s.Status
		}
		return got
	}
	dies = true
	process()
	process()
	dies = false
	if got := process(); got["os"] != inventory.StatusOK || got["volume"] != inventory.StatusTimeout {
		t.Errorf("after two deaths: %v, want volume skipped", got)
	}
	if got := process(); got["volume"] != inventory.StatusTimeout {
		t.Errorf("still on the same day: %v, want volume skipped", got)
	}
}

// TestHealthIsRead: times and reasons survive.
func TestHealthIsRead(t *testing.T) {
	t.Parallel()
	s, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	want := state.Health{Failures: 2, SkippedUntil: time.Now().Add(time.Hour).UTC().Truncate(time.Second), Reason: "why"}
	if err := s.SetHealth(map[string]state.Health{"volume": want}); err != nil {
		t.Fatal(err)
	}
	if got := s.Health()["volume"]; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
