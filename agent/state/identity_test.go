package state_test

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pki"
)

func someIdentity(t *testing.T) state.Identity {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	authority, err := pki.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := authority.IssueAgent(&key.PublicKey, "agent-1", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return state.Identity{
		AgentID: "agent-1", Collector: "collector.example:8443", Pin: authority.Pin(), Key: key,
		Certificate: certificate, Authorities: [][]byte{authority.Certificate()}, Received: now,
	}
}

func TestIdentityIsReadBack(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := open(t, dir)
	if _, err := s.Identity(); !errors.Is(err, state.ErrNotEnrolled) {
		t.Errorf("before: got %v, want %v", err, state.ErrNotEnrolled)
	}
	want := someIdentity(t)
	if err := s.SetIdentity(want); err != nil {
		t.Fatal(err)
	}
	got, err := state.ReadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestDamagedIdentityIsNeverUsed(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := open(t, dir)
	if err := s.SetIdentity(someIdentity(t)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "identity.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Identity(); err == nil || !strings.Contains(err.Error(), "enroll this machine again") {
			t.Fatalf("bit flipped in byte %d (%q): got %v", i, good[i], err)
		}
	}
}

func TestStatusIsReadBackAndNeverBlocks(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := open(t, dir)
	want := state.Status{
		LastAck: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), LastError: "no route",
		Sections: []state.Section{{Section: "software", Status: "ok", Items: 3}},
	}
	if err := s.SetStatus(want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "status.json"), []byte(`{"last_ack": 7`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Status(); err != nil || !cmp.Equal(got, state.Status{}) {
		t.Errorf("a damaged status: got %v, %v; want the zero status", got, err)
	}
}
