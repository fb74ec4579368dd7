package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

// busy is an agent whose machine changes continuously. It syncs after each change until it is
// acknowledged.
type busy struct {
	*agent

	machine  *machine
	truth    [][]change
	finished atomic.Int64 // syncs
	failed   int          // syncs
}

// work runs until ctx ends, and then until the last change is acknowledged.
func (b *busy) work(t testing.TB, ctx context.Context, ready func() bool) {
	t.Helper()
	for ctx.Err() == nil {
		b.truth = append(b.truth, b.machine.change())
		for {
			if _, err := b.Sync(t.Context()); err == nil {
				break
			}
			b.failed++
			if !became(ready) {
				t.Error("the collector does not get ready")
				return
			}
		}
		b.finished.Add(1)
	}
}

// progress returns when more of the agent's changes have been acknowledged.
func (b *busy) progress(t testing.TB) {
	t.Helper()
	before := b.finished.Load()
	eventually(t, "an agent to get on", func() bool { return b.finished.Load() > before+1 })
}

// TestDatabaseRestartedUnderLoad stops and crashes PostgreSQL under a collector while several
// agents sync. The collector keeps running, reports that it is not ready, and nothing is lost or
// duplicated.
func TestDatabaseRestartedUnderLoad(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	c := newCollector(t, server.URL())
	began := c.process
	var agents []*busy
	for i := range 4 {
		m := newMachine(uint64(50+i), fmt.Sprintf("S%d", i))
		b := &busy{agent: enroll(t, c, c.agents, m), machine: m}
		b.mustSync(t)
		agents = append(agents, b)
	}
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	ready := func() bool { return c.readiness() == http.StatusOK }
	var working sync.WaitGroup
	for _, b := range agents {
		working.Go(func() { b.work(t, ctx, ready) })
	}
	for range rounds(5) {
		for _, end := range []func(testing.TB){server.Stop, server.Crash} {
			for _, b := range agents {
				b.progress(t)
			}
			end(t)
			if got := c.readiness(); got != http.StatusServiceUnavailable {
				t.Errorf("readyz without a database: got %d, want 503", got)
			}
			server.Start(t)
			eventually(t, "the collector to be ready again", ready)
		}
	}
	enough()
	working.Wait()

	var machines []*machine
	for _, b := range agents {
		t.Logf("%d changes, %d failed syncs", len(b.truth), b.failed)
		b.mustSync(t)
		checkEqual(t, c, b.agent, b.machine)
		checkFeed(t, c, b.device, b.truth)
		machines = append(machines, b.machine)
	}
	checkCounts(t, c, machines...)
	checkDevices(t, c, len(agents))
	checkIncidents(t, open(t, server.URL()))
	if c.process != began || !c.running() {
		t.Error("the collector ended")
	}
	if strings.Contains(c.log.String(), "panic") {
		t.Error("the collector panicked")
	}
	c.stop(t)
}
