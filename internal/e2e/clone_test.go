package e2e

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/pgtest"
)

// run runs the agent, as muster-agent run does, until stop or the end of the test.
func (a *agent) run(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// awaitVersion returns when an agent's record has the version.
func (d *database) awaitVersion(t testing.TB, agentID string, want int64) {
	t.Helper()
	eventually(t, "the agent's changes", func() bool { return d.versionOf(t, agentID) >= want })
}

// awaitGone returns when the collector has recorded that no agent is connected.
func (d *database) awaitGone(t testing.TB) {
	t.Helper()
	eventually(t, "the end of all conversations", func() bool {
		return value[bool](t, d, `
			select coalesce(bool_and(stream = '00000000-0000-0000-0000-000000000000'), false) from presence`)
	})
}

// TestCloneBesideItsOriginal: a copy of an agent's state checks in while the original is connected
// and has checked in since. The copy receives a key and a source record of its own, whether or not
// its hardware differs from the original's.
func TestCloneBesideItsOriginal(t *testing.T) {
	t.Parallel()
	for name, serial := range map[string]string{"equal hardware": "S1", "other hardware": "S2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			d, c := open(t, url), newCollector(t, url)
			original, copied := newMachine(40, "S1"), newMachine(41, serial)
			a := enroll(t, c, c.agents, original)
			a.mustSync(t)
			b := resume(t, copyState(t, a.dir), copied, "boot-of-the-copy")
			truth := [][]change{original.change()}
			a.run(t)
			d.awaitVersion(t, a.id(t), 2)

			b.mustSync(t)
			if b.id(t) == a.id(t) {
				t.Fatal("the copy still is the original")
			}
			checkEqual(t, c, a, original)
			checkEqual(t, c, b, copied)
			if b.device == a.device {
				t.Error("the copy is on the original's device")
			}
			checkIncidents(t, d, "clone")
			checkForked(t, d, a, b)

			// Both continue independently.
			second := [][]change{copied.change()}
			b.mustSync(t)
			checkEqual(t, c, a, original)
			checkEqual(t, c, b, copied)
			checkFeed(t, c, a.device, truth)
			checkFeed(t, c, b.device, second)
			checkCounts(t, c, original, copied)
			checkIncidents(t, d, "clone")
			checkDevices(t, c, 2)
		})
	}
}

// TestCloneWithTheCurrentToken: the original has not checked in since it was copied, as with
// machines started from one disk image. The original is connected, so the copy receives another
// key.
func TestCloneWithTheCurrentToken(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	original, copied := newMachine(46, "S1"), newMachine(47, "S1")
	a := enroll(t, c, c.agents, original)
	a.mustSync(t)
	b := resume(t, copyState(t, a.dir), copied, "boot-of-the-copy")
	there := a.log.line("inventory acknowledged")
	truth := [][]change{original.change()}
	a.run(t)
	await(t, there)
	restoreState(t, a.dir, b.dir)
	b = b.again(t, copied, "boot-of-the-copy")

	b.mustSync(t)
	checkEqual(t, c, a, original)
	checkEqual(t, c, b, copied)
	checkFeed(t, c, a.device, truth)
	checkFeed(t, c, b.device, nil)
	checkCounts(t, c, original, copied)
	checkForked(t, d, a, b)
	checkIncidents(t, d, "clone")
	checkDevices(t, c, 2)
}

// checkForked checks that the collector recorded the origin of a copy.
func checkForked(t testing.TB, d *database, original, copied *agent) {
	t.Helper()
	got := value[string](t, d, `
		select f.agent_id::text
		from agent a join source_record r on r.id = a.record_id join agent f on f.record_id = r.forked_from
		where a.agent_id = $1`, copied.id(t))
	if diff := cmp.Diff(original.id(t), got); diff != "" {
		t.Errorf("forked from (-want +got):\n%s", diff)
	}
}

// TestCloneOfASleepingOriginal: the original is not connected, but the hardware shows that the copy
// is another machine.
func TestCloneOfASleepingOriginal(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	original, copied := newMachine(42, "S1"), newMachine(43, "S2")
	a := enroll(t, c, c.agents, original)
	a.mustSync(t)
	b := resume(t, copyState(t, a.dir), copied, "boot-of-the-copy")
	truth := [][]change{original.change()}
	a.mustSync(t)
	d.awaitGone(t)

	b.mustSync(t)
	truth = append(truth, original.change())
	a.mustSync(t)
	checkEqual(t, c, a, original)
	checkEqual(t, c, b, copied)
	checkFeed(t, c, a.device, truth)
	checkFeed(t, c, b.device, nil)
	checkCounts(t, c, original, copied)
	checkIncidents(t, d, "clone")
	checkDevices(t, c, 2)
}

// TestStateRestoredFromABackup: an older state on the same hardware, with no other agent connected,
// is the same machine. It sends everything again and stays on its device.
func TestStateRestoredFromABackup(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(44, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	id := a.id(t)
	backup, then := copyState(t, a.dir), m.snapshot()
	var truth [][]change
	for range 3 {
		truth = append(truth, m.change())
		a.mustSync(t)
	}
	d.awaitGone(t)

	now := m.snapshot()
	m.restore(then)
	restoreState(t, backup, a.dir)
	a = a.again(t, m, "boot-after-the-restore")
	truth = append(truth, m.since(now))
	a.mustSync(t)
	if a.id(t) != id {
		t.Error("the machine was given another identity")
	}
	checkEqual(t, c, a, m)
	truth = append(truth, m.change())
	a.mustSync(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkIncidents(t, d, "rollback")
	checkDevices(t, c, 1)
}

// TestStateThatForgotWhatWasAcknowledged: if acknowledged.bin is damaged, the identity is left. The
// machine stays on its device.
func TestStateThatForgotWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(45, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	truth := [][]change{m.change()}
	a.mustSync(t)
	d.awaitGone(t)
	if err := a.State.Forget(); err != nil {
		t.Fatal(err)
	}
	truth = append(truth, m.change())
	a.mustSync(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkIncidents(t, d, "rollback")
	checkDevices(t, c, 1)
}
