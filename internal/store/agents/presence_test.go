package agents

import (
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store/db"
)

func TestMain(m *testing.M) { pgtest.Main(m, db.Migrate) }

func newStore(t *testing.T) *Store {
	t.Helper()
	database, err := db.Open(t.Context(), pgtest.New(t), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	return New(database)
}

func (s *Store) mustFlush(t *testing.T, at time.Time) {
	t.Helper()
	if err := s.FlushPresence(t.Context(), []inventory.Presence{{Record: 1, SeenAt: at}}); err != nil {
		t.Fatal(err)
	}
}

func (s *Store) lastSeen(t *testing.T) time.Time {
	t.Helper()
	p, ok, err := s.LastPresence(t.Context(), 1)
	if err != nil || !ok {
		t.Fatalf("got %v, %v", ok, err)
	}
	return p.SeenAt
}

// TestLastSeenIsNeverInTheFuture: the clock of a collector may be fast or may be set back; the
// database's clock decides what is the present.
func TestLastSeenIsNeverInTheFuture(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	before, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A microsecond is the resolution of the database.
	earlier := before.Add(-time.Hour).Truncate(time.Microsecond)
	s.mustFlush(t, earlier)
	if got := s.lastSeen(t); !got.Equal(earlier) {
		t.Errorf("a time in the past: got %v, want %v", got, earlier)
	}
	s.mustFlush(t, before.Add(365*24*time.Hour))
	fast := s.lastSeen(t)
	after, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if fast.Before(before.Truncate(time.Microsecond)) || fast.After(after) {
		t.Errorf("a fast clock: got %v, want the present, between %v and %v", fast, before, after)
	}
	s.mustFlush(t, earlier)
	if got := s.lastSeen(t); !got.Equal(fast) {
		t.Errorf("an earlier time after a later one: got %v, want %v", got, fast)
	}
	if _, err := s.Pool.Exec(t.Context(), `update presence set seen_at = '2100-01-01'`); err != nil {
		t.Fatal(err)
	}
	s.mustFlush(t, earlier)
	if got := s.lastSeen(t); !got.Equal(earlier) {
		t.Errorf("after a time in the future was stored: got %v, want %v", got, earlier)
	}
}
