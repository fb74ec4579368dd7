package db

import (
	"errors"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// TestWaitUntilVisibleWaitsForWriters: a change that has its instant and is not committed yet is
// waited for, and seen afterwards.
func TestWaitUntilVisibleWaitsForWriters(t *testing.T) {
	t.Parallel()
	s := openDB(t)
	tx, err := s.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	var at time.Time
	err = tx.QueryRow(t.Context(), `
		insert into baseline (id, name, at, created_at, created_by) values (gen_random_uuid(), 'x', now(), clock_timestamp(), '')
		returning created_at`).Scan(&at)
	if err != nil {
		t.Fatal(err)
	}
	// What is before the transaction, it cannot change.
	if err := s.WaitUntilVisible(t.Context(), at.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	settled := make(chan error)
	go func() { settled <- s.WaitUntilVisible(t.Context(), at) }()
	select {
	case err := <-settled:
		t.Fatalf("settled under a writer: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-settled; err != nil {
		t.Fatal(err)
	}
	var baselines int
	err = s.Pool.QueryRow(t.Context(), `select count(*) from baseline`).Scan(&baselines)
	if err != nil || baselines != 1 {
		t.Errorf("%d baselines, %v; want 1", baselines, err)
	}
}

// TestWaitUntilVisibleGivesUp: a writer that is stuck makes the instant unavailable, and one that
// came later does not matter.
func TestWaitUntilVisibleGivesUp(t *testing.T) {
	t.Parallel()
	s := openDB(t)
	before, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := s.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `select pg_current_xact_id()`); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitUntilVisible(t.Context(), before); err != nil {
		t.Errorf("before the writer: %v", err)
	}
	now, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.WaitUntilVisible(t.Context(), now), inventory.CodeUnavailable)
	wantCode(t, s.WaitUntilVisible(t.Context(), now.Add(time.Hour)), inventory.CodeInvalid)
}

// wantCode checks that an error is an inventory.Error with a code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *inventory.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want one with code %s", err, code)
	}
}
