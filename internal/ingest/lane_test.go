package ingest_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
)

// TestCheapJobsDoNotWaitForExpensiveOnes holds up every worker that takes an expensive job: each of
// four machines brings hundreds of new items and waits for a lock. The upgrade of another machine
// is committed meanwhile.
func TestCheapJobsDoNotWaitForExpensiveOnes(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	honest, packages := e.enroll(t), []proto.Message(nil)
	for i := range 600 {
		packages = append(packages, pkg(fmt.Sprintf("package-%d", i), "1"))
	}
	mustObserve(t, honest, software(inventory.StatusOK, packages...))
	e.agent(t, withDisplay(1))
	const senders = 4
	checkIns := make([]*ingest.CheckIn, senders)
	for i := range checkIns {
		r := withDisplay(1).report()
		var items []proto.Message
		for n := range 600 {
			items = append(items, pkg(fmt.Sprintf("made-up-%d-%d", i, n), "1"))
		}
		r["software"] = section{inventory.StatusOK, items}
		checkIns[i] = e.enroll(t).prepare(t, r)
	}
	tx, err := e.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `select from identity_clock for update`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, senders)
	for _, checkIn := range checkIns {
		go func() {
			_, err := e.ingester.Apply(t.Context(), checkIn)
			done <- err
		}()
	}
	e.awaitLocks(t, 2)
	for i := range 20 {
		packages[i] = pkg(fmt.Sprintf("package-%d", i), "2")
	}
	mustObserve(t, honest, software(inventory.StatusOK, packages...))
	if len(done) > 0 {
		t.Error("the upgrade waited for an expensive job")
	}
	if got := len(honest.changes(t, "software")); got != 20 {
		t.Errorf("got %d changes, want 20", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range senders {
		<-done // with an error if the lock was not free in time
	}
}

// awaitLocks waits until that many statements of the database wait for a lock.
func (e *fixture) awaitLocks(t *testing.T, want int) {
	t.Helper()
	for waiting := 0; waiting < want; {
		err := e.Pool.QueryRow(t.Context(), `
			select count(*) from pg_stat_activity where datname = current_database()
				and wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
}
