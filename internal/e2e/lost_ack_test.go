package e2e

import (
	"context"
	"testing"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/pgtest"
)

// commitGate can block transactions that change an agent's record at their COMMIT.
type commitGate struct{ *database }

// commitGateLock is the advisory lock that a transaction waits for.
const commitGateLock = 4711

func newCommitGate(t testing.TB, url string) commitGate {
	t.Helper()
	k := commitGate{open(t, url)}
	k.exec(t, `
		create function wait_for_commit_gate() returns trigger language plpgsql as $$
		begin
			perform pg_advisory_xact_lock_shared(4711);
			return null;
		end $$`)
	k.exec(t, `
		create constraint trigger commit_gate after update of version on source_record
		deferrable initially deferred for each row execute function wait_for_commit_gate()`)
	return k
}

// block blocks all transactions until release.
func (k commitGate) block(t testing.TB) {
	t.Helper()
	k.exec(t, `select pg_advisory_lock($1)`, commitGateLock)
}

// await returns when a transaction waits at its COMMIT.
func (k commitGate) await(t testing.TB) {
	t.Helper()
	eventually(t, "a transaction at its COMMIT", func() bool {
		return value[bool](t, k.database, `
			select exists (
				select from pg_locks
				where locktype = 'advisory' and objid = $1 and not granted
				  and database = (select oid from pg_database where datname = current_database())
			)`, commitGateLock)
	})
}

// release lets all transactions commit.
func (k commitGate) release(t testing.TB) {
	t.Helper()
	k.exec(t, `select pg_advisory_unlock($1)`, commitGateLock)
}

// begin syncs in the background; the channel receives the result.
func (a *agent) begin(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := a.Sync(ctx)
		done <- err
	}()
	return done
}

// loseAck makes the agent sync and cuts the connection between the collector's COMMIT and its Ack.
func loseAck(t testing.TB, gate commitGate, p *proxy, a *agent) {
	t.Helper()
	before := gate.versionOf(t, a.id(t))
	gate.block(t)
	done := a.begin(t.Context())
	gate.await(t)
	release := p.hold(down) // only the Ack is still to come
	gate.release(t)
	eventually(t, "the commit", func() bool { return gate.versionOf(t, a.id(t)) == before+1 })
	p.cut()
	release()
	if err := <-done; err == nil {
		t.Fatal("the agent got the Ack that was to be lost")
	}
}

// TestLostAckIsHarmless: the collector has committed, and the agent does not know it. The agent's
// next check-in is accepted and changes nothing, and its Ack arrives.
func TestLostAckIsHarmless(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	gate, c, m := newCommitGate(t, url), newCollector(t, url), newMachine(10, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	loseAck(t, gate, p, a) // the very first one
	if report := a.mustSync(t); len(report.Sections) > 0 {
		t.Errorf("after the first Ack was lost: sent %+v, want nothing: the collector has it", report.Sections)
	}
	var truth [][]change
	for _, boot := range []string{"boot-1", "boot-2", "boot-2"} {
		truth = append(truth, m.change())
		loseAck(t, gate, p, a)
		a = a.again(t, m, boot)
		version := gate.versionOf(t, a.id(t))
		if report := a.mustSync(t); len(report.Sections) > 0 {
			t.Errorf("after the Ack was lost: sent %+v, want nothing: the collector has it", report.Sections)
		}
		if got := gate.versionOf(t, a.id(t)); got != version {
			t.Errorf("a check-in that said nothing new made %d changes", got-version)
		}
		checkEqual(t, c, a, m)
	}
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkIncidents(t, gate.database)
}

// TestAcksLostInARow: the machine changes between the check-ins whose Acks are lost, so that the
// agent's token is several commits old. It still is the same machine.
func TestAcksLostInARow(t *testing.T) {
	t.Parallel()
	for name, crashed := range map[string]bool{"connection cut": false, "collector killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			gate, c, m := newCommitGate(t, url), newCollector(t, url), newMachine(11, "S1")
			p := newProxy(t, c.agents)
			a := enroll(t, c, p.address, m)
			a.mustSync(t)
			id := a.id(t)
			var truth [][]change
			for range 3 {
				truth = append(truth, m.change())
				loseAck(t, gate, p, a)
				if crashed {
					c.kill()
					c.start(t)
					p.aim(c.agents)
				}
			}
			a.mustSync(t)
			if a.id(t) != id {
				t.Errorf("the agent was given another identity")
			}
			checkEqual(t, c, a, m)
			checkFeed(t, c, a.device, truth)
			checkIncidents(t, gate.database)
			checkDevices(t, c, 1)
		})
	}
}

// TestCollectorKilledWhileItsCommitHangs: the transaction of the killed collector ends after the
// agent has checked in again with the same content.
func TestCollectorKilledWhileItsCommitHangs(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	gate, c, m := newCommitGate(t, url), newCollector(t, url), newMachine(12, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	a.mustSync(t)
	truth := [][]change{m.change()}
	gate.block(t)
	done := a.begin(t.Context())
	gate.await(t)
	c.kill()
	if err := <-done; err == nil {
		t.Fatal("a killed collector acknowledged")
	}
	c.start(t)
	p.aim(c.agents)
	done = a.begin(t.Context())
	second := open(t, url)
	eventually(t, "the second transaction behind the first", func() bool {
		return value[int](t, second, `
			select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 2
	})
	gate.release(t)
	if err := <-done; err != nil {
		t.Logf("the second sync: %s", link.Explain(err))
	}
	persist(t, a)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkIncidents(t, gate.database)
}
