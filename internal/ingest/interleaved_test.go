package ingest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store"
)

// TestOthersComeBetween has a first inventory pause before each of its statements in turn. Others
// that have to do with it are committed meanwhile, or wait for it. The CIs are those of reports
// that come one by one.
func TestOthersComeBetween(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name          string
		machine       func(n, i int) hardware // of the i-th report in round n
		reports       int
		cis, monitors int
	}{
		{"one machine", func(n, _ int) hardware { return withDisplay(n) }, 3, 1, 1},
		{"a monitor of two machines", func(n, i int) hardware { return withSharedDisplay(n, i%2) }, 4, 2, 1},
		{"a serial number of three monitors", withSharedDisplay, 3, 3, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			paused := e.openPaused(t)
			for n, ended := 1, false; !ended; n++ {
				machines := make([]*machine, c.reports)
				checkIns := make([]*ingest.CheckIn, len(machines))
				for i := range machines {
					machines[i] = e.enroll(t)
					checkIns[i] = machines[i].prepare(t, c.machine(n, i).report())
				}
				ended = paused.apply(t, n, checkIns[0], checkIns[1:])
				e.wantTogether(t, fmt.Sprintf("before statement %d", n), machines, c.cis, c.monitors)
				if n > 200 {
					t.Fatal("an inventory takes more than 200 statements")
				}
			}
		})
	}
}

// withSharedDisplay is one of the machines of a round that report the same monitor.
func withSharedDisplay(round, i int) hardware {
	h := laptop(1000*i + round)
	h.displays = []proto.Message{display(fmt.Sprintf("SHARED%04d", round))}
	return h
}

// pausedIngester is an ingester that can be made to pause before a statement, and one beside it.
type pausedIngester struct {
	*fixture

	proxy  *proxy
	paused *ingest.Ingester
}

func (e *fixture) openPaused(t *testing.T) *pausedIngester {
	t.Helper()
	p := &pausedIngester{fixture: e, proxy: newProxy(t, e.url)}
	s, err := store.Open(t.Context(), p.proxy.url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if p.paused, err = ingest.New(s, ingest.Options{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	runIngester(t, p.paused)
	return p
}

// apply applies the first check-in up to its n-th statement, then the others one after the other
// until they end or wait for a lock, then all to their end. It reports whether the first took fewer
// than n statements.
func (p *pausedIngester) apply(t *testing.T, n int, first *ingest.CheckIn, others []*ingest.CheckIn) bool {
	t.Helper()
	reached, proceed := make(chan struct{}), make(chan struct{})
	p.proxy.before(func(statement int) bool {
		if statement == n {
			close(reached)
			<-proceed
		}
		return true
	})
	var running sync.WaitGroup
	firstDone, othersDone := make(chan struct{}), make(chan struct{})
	running.Go(func() {
		defer close(firstDone)
		if _, err := p.paused.Apply(t.Context(), first); err != nil {
			t.Errorf("paused before statement %d: %v", n, err)
		}
	})
	ended := false
	select {
	case <-reached:
	case <-firstDone:
		ended = true
	}
	running.Go(func() {
		defer close(othersDone)
		for _, checkIn := range others {
			if _, err := p.ingester.Apply(t.Context(), checkIn); err != nil {
				t.Errorf("beside one that pauses before statement %d: %v", n, err)
			}
		}
	})
	p.awaitEndOrLock(t, othersDone)
	close(proceed)
	running.Wait()
	return ended
}

// awaitEndOrLock waits until done is closed or a statement of the database waits for a lock.
func (e *fixture) awaitEndOrLock(t *testing.T, done <-chan struct{}) {
	t.Helper()
	for waiting := false; !waiting; {
		select {
		case <-done:
			return
		default:
		}
		err := e.Pool.QueryRow(t.Context(), `
			select exists (select from pg_stat_activity where datname = current_database()
				and wait_event_type = 'Lock')`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantTogether checks how many CIs and monitors machines are. Each has one monitor.
func (e *fixture) wantTogether(t *testing.T, what string, machines []*machine, wantCIs, wantMonitors int) {
	t.Helper()
	cis, monitors := map[string]bool{}, map[string]bool{}
	for i, m := range machines {
		ci := m.mustRecord(t).CI
		cis[ci] = true
		if other := machines[i%wantCIs].mustRecord(t).CI; other != ci {
			t.Errorf("%s: one machine is the CIs %s and %s", what, ci, other)
		}
		connected := e.related(t, ci, "connected_to", time.Time{})
		if len(connected) != 1 {
			t.Errorf("%s: %d monitors are connected to %s, want 1", what, len(connected), ci)
		}
		for _, monitor := range connected {
			monitors[monitor] = true
		}
	}
	if len(cis) != wantCIs || len(monitors) != wantMonitors {
		t.Errorf("%s: %d CIs and %d monitors, want %d and %d", what, len(cis), len(monitors), wantCIs, wantMonitors)
	}
}

func runIngester(t testing.TB, ingester *ingest.Ingester) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	stopped := make(chan struct{})
	go func() { ingester.Run(ctx); close(stopped) }()
	t.Cleanup(func() { cancel(); <-stopped })
}

// TestSharedInOneGroup has three machines report one monitor in one transaction, as new machines do
// under load, and two more after them: no two of them have it, as if all had come one by one.
func TestSharedInOneGroup(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	machines, observations := make([]*machine, 5), make([]inventory.Observation, 5)
	for i := range machines {
		machines[i] = e.enroll(t)
		observations[i] = inventory.Observation{Record: machines[i].mustRecord(t).ID, Observed: inventory.Observed{
			Class: inventory.ClassLaptop, Attributes: inventory.Attributes{"name": fmt.Sprintf("pc-%d", i)},
			Components: []inventory.Component{{
				Class: inventory.ClassMonitor, Key: "1", Relationship: "connected_to", Inverse: true,
				Identifiers: inventory.RawIdentifiers{Manufacturer: "Dell", Model: "U2720Q", SerialNumber: "SHARED0001"},
			}},
		}}
	}
	for _, group := range [][]inventory.Observation{observations[:3], observations[3:4], observations[4:]} {
		if _, err := e.Resolve(t.Context(), group); err != nil {
			t.Fatal(err)
		}
	}
	e.wantTogether(t, "three at once and two more", machines, 5, 5)
	if n := e.count(t, "monitor"); n != len(machines) {
		t.Errorf("%d monitors, want %d", n, len(machines))
	}
	for i := range observations {
		observations[i].Observed.Components[0].Identifiers.SerialNumber = "SHARED0002"
		if _, err := e.Resolve(t.Context(), observations[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	e.wantTogether(t, "one by one", machines, 5, 5)
	if n := e.count(t, "monitor"); n != len(machines) {
		t.Errorf("%d monitors, want %d", n, len(machines))
	}
}
