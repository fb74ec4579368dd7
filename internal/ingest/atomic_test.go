package ingest_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/store"
)

// TestNothingIsHalfApplied ends the collector's connection before each statement that an inventory
// takes in turn. Evidence, assignment, values, sets, events and states are all as before or all as
// after.
func TestNothingIsHalfApplied(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	reference, _ := e.agent(t, withDisplay(1))
	first := e.applied(t, reference)
	mustObserve(t, reference, upgraded(1).report())
	second := e.applied(t, reference)

	for n, done := 1, false; !done; n++ {
		m := e.enroll(t)
		h, next := withDisplay(100+n), upgraded(100+n)
		done = e.observeWithCut(t, m, h, n)
		if got := e.applied(t, m); got != first && (done || got != nothingApplied) {
			t.Errorf("the first inventory with %d statements: %s; want %s or %s", n-1, got, first, nothingApplied)
		}
		if !done {
			mustObserve(t, m, h.report())
		}
		if !e.observeWithCut(t, m, next, n) {
			done = false
		}
		if got := e.applied(t, m); got != second && got != first {
			t.Errorf("the second inventory with %d statements: %s; want %s or %s", n-1, got, first, second)
		}
		if n > 200 {
			t.Fatal("an inventory takes more than 200 statements")
		}
	}
}

func withDisplay(n int) hardware {
	h := laptop(n)
	h.displays = []proto.Message{display(fmt.Sprintf("SCREEN%04d", n))}
	return h
}

// upgraded is the same machine after an upgrade, with another disk and another name.
func upgraded(n int) hardware {
	h := withDisplay(n)
	h.disk, h.host = fmt.Sprintf("S5Y%09d", n), h.host+"-new"
	h.software = []proto.Message{pkg("bash", "5.3"), pkg("vim", "9"), pkg("less", "600")}
	return h
}

const nothingApplied = "version 0, evidence 0, values 0, assignments 0, relationships 0, sections 0, software 0, events 0"

// applied summarizes what the store holds of a machine.
func (e *fixture) applied(t *testing.T, m *machine) string {
	t.Helper()
	record := m.mustRecord(t)
	states, err := m.SectionStates(t.Context(), record.ID)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, 4)
	for i, table := range []string{"evidence", "record_version", "assignment", "relationship"} {
		column := "record_id"
		if table == "relationship" {
			column = "observer"
		}
		err := e.Pool.QueryRow(t.Context(), `select count(*) from `+table+` where `+column+` = $1`, record.ID).Scan(&counts[i])
		if err != nil {
			t.Fatal(err)
		}
	}
	var software, events int
	if record.CI != "" {
		software, events = len(m.held(t, "software", time.Time{})), len(m.changes(t, "software"))
	}
	return fmt.Sprintf("version %d, evidence %d, values %d, assignments %d, relationships %d, sections %d, software %d, events %d",
		record.Version, counts[0], counts[1], counts[2], counts[3], len(states), software, events)
}

// observeWithCut sends an inventory over connections that end before their n-th statement, all of
// them together. It reports whether the inventory was applied.
func (e *fixture) observeWithCut(t *testing.T, m *machine, h hardware, n int) bool {
	t.Helper()
	proxy := newProxy(t, e.url)
	proxy.before(func(statement int) bool { return statement < n })
	s, err := store.Open(t.Context(), proxy.url, store.Options{MaxConns: 1})
	if err != nil {
		return false // the cut was among the statements that open the store
	}
	defer s.Close()
	ingester, err := ingest.New(s, ingest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { ingester.Run(ctx) })
	defer running.Wait()
	defer cancel()
	_, err = ingester.Apply(t.Context(), m.prepare(t, h.report()))
	return err == nil
}

// TestNewMachinesNeedNoLock commits the first inventory of a machine while another transaction
// holds the lock of all resolutions. A machine with the same hardware waits for it.
func TestNewMachinesNeedNoLock(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	known, _ := e.agent(t, withDisplay(1))
	tx, err := e.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `select from identity_clock for update`); err != nil {
		t.Fatal(err)
	}
	stranger := e.enroll(t)
	mustObserve(t, stranger, withDisplay(2).report())
	same, done := e.enroll(t), make(chan error, 1)
	checkIn := same.prepare(t, withDisplay(1).report())
	go func() {
		_, err := e.ingester.Apply(t.Context(), checkIn)
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("a machine with the same hardware did not wait for the lock: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a, b := known.mustRecord(t).CI, same.mustRecord(t).CI; a != b {
		t.Errorf("two records of one machine are the CIs %s and %s", a, b)
	}
	if stranger.mustRecord(t).CI == known.mustRecord(t).CI {
		t.Error("two machines are one CI")
	}
}

// TestOthersNeedNotWait has a machine wait for the lock of all resolutions. The first inventory of
// another machine at the same collector does not wait for it, although no later one follows.
func TestOthersNeedNotWait(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	e.agent(t, withDisplay(1))
	same, other := e.enroll(t), e.enroll(t)
	waits, free := same.prepare(t, withDisplay(1).report()), other.prepare(t, withDisplay(2).report())
	tx, err := e.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `select from identity_clock for update`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := e.ingester.Apply(t.Context(), waits)
		done <- err
	}()
	e.awaitEndOrLock(t, nil)
	if _, err := e.ingester.Apply(t.Context(), free); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		t.Fatalf("the machine with the same hardware did not wait: %v", err)
	default:
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestConcurrentWriters has several collectors take the first inventories of the same machines at
// the same time: each machine is one CI with one monitor, whatever the order. MUSTER_TEST_ROUNDS
// sets the number of rounds.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	const writers = 8
	e := newFixture(t)
	ingesters := make([]*ingest.Ingester, writers)
	for i := range ingesters {
		var err error
		if ingesters[i], err = ingest.New(e.Store, ingest.Options{Workers: 1}); err != nil {
			t.Fatal(err)
		}
		runIngester(t, ingesters[i])
	}
	for round := range rounds(t) {
		e.writeTogether(t, ingesters, round)
	}
}

func rounds(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(environment("MUSTER_TEST_ROUNDS", "25"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// writeTogether reports machines all at once: by turns two machines by four records each, the same
// with one monitor between them, and eight machines that all report the serial number of one
// monitor, which is then no identifier.
func (e *fixture) writeTogether(t *testing.T, ingesters []*ingest.Ingester, round int) {
	t.Helper()
	different, wantMonitors := 2, 2
	switch round % 3 {
	case 1:
		wantMonitors = 1
	case 2:
		different, wantMonitors = len(ingesters), len(ingesters)
	}
	machines := make([]*machine, len(ingesters))
	checkIns := make([]*ingest.CheckIn, len(ingesters))
	for i := range ingesters {
		h := withDisplay(round*len(ingesters) + i%different)
		if round%3 > 0 {
			h.displays = []proto.Message{display(fmt.Sprintf("SHARED%04d", round))}
		}
		machines[i] = e.enroll(t)
		checkIns[i] = machines[i].prepare(t, h.report())
	}
	var wait sync.WaitGroup
	for i, ingester := range ingesters {
		wait.Go(func() {
			if _, err := ingester.Apply(t.Context(), checkIns[i]); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		})
	}
	wait.Wait()
	e.wantTogether(t, fmt.Sprintf("round %d", round), machines, different, wantMonitors)
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// TestInstantsStayInOrder has a resolution with the lock wait after it took its instant, while a
// new machine commits at a later one. Both report one installation, so the first ends what the
// second began: it must do so at a later instant still.
func TestInstantsStayInOrder(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	known, copied := laptop(1), laptop(2)
	a, _ := e.agent(t, known)
	copied.install = fmt.Sprintf("%032x", 0x7777)
	known.install = copied.install
	tx, err := e.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `select from source_record where id = $1 for update`, a.mustRecord(t).ID); err != nil {
		t.Fatal(err)
	}
	checkIn, done := a.prepare(t, known.report()), make(chan error, 1)
	go func() {
		_, err := e.ingester.Apply(t.Context(), checkIn)
		done <- err
	}()
	e.awaitEndOrLock(t, nil)
	b := e.enroll(t)
	mustObserve(t, b, copied.report())
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if x, y := a.mustRecord(t).CI, b.mustRecord(t).CI; x == y {
		t.Errorf("two machines with copies of one system are one CI: %s", x)
	}
}
