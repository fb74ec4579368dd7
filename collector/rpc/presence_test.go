package rpc

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m, store.Migrate) }

// TestCheckInsAreStoredWhileTheCollectorStops flushes after the context has ended, as a flush does
// during which the collector is told to stop.
func TestCheckInsAreStoredWhileTheCollectorStops(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	token, key := [32]byte{1}, [32]byte{2}
	expires := time.Now().Add(time.Hour)
	_, err = s.CreateEnrollmentToken(t.Context(), inventory.EnrollmentToken{Name: "test", MaxUses: 1, ExpiresAt: expires}, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enroll(t.Context(), inventory.Enrollment{Token: token, Key: key, From: netip.MustParseAddr("192.0.2.1"), Expires: expires}); err != nil {
		t.Fatal(err)
	}
	record, err := s.Record(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{presence: newPresence(), options: Options{Store: s, Logger: slog.New(slog.DiscardHandler)}}
	seen := time.Now().Truncate(time.Microsecond)
	server.presence.note(inventory.Presence{Record: record.ID, SeenAt: seen, Until: seen, Stream: [16]byte{3}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	server.flush(ended)
	last, found, err := s.LastPresence(t.Context(), record.ID)
	if err != nil || !found || !last.SeenAt.Equal(seen) {
		t.Errorf("the last check-in is %v (found %v, error %v), want %v", last.SeenAt, found, err, seen)
	}
}
