package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/pgtest"
)

// backoffFloor is the shortest wait after a failure, see link.Backoff.
var backoffFloor = link.Backoff(1, 0)

// handshakeFailed is the agent's error for a connection that ends before the handshake.
const handshakeFailed = "the TLS handshake with the collector failed"

// TestAgentRunsOnWithoutACollector: muster-agent run reaches no collector, retries only after its
// back-off, and checks in when the collector is back. The tests of package link check the growth
// and spread of the waits.
func TestAgentRunsOnWithoutACollector(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the first back-off takes up to a minute")
	}
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	p := newProxy(t, c.agents)
	dir := enrollProgram(t, c, p.address)
	id := statusOf(t, dir).AgentID
	log := &output{}
	agent := exec.Command(built.agent, "run", "--state", dir)
	agent.Stderr = log
	c.kill()
	before := len(p.attempts())
	failed := log.line("check-in failed")
	running := begin(t, agent)
	if line := await(t, failed); !strings.Contains(line, handshakeFailed) {
		t.Errorf("got %s, want it to say %q", line, handshakeFailed)
	}
	eventually(t, "a status with the error", func() bool { return strings.Contains(statusOf(t, dir).LastError, handshakeFailed) })
	if s := statusOf(t, dir); s.NextCheckIn.Sub(s.LastErrorAt) < backoffFloor {
		t.Errorf("status: got %+v, want the next check-in at least %v after the error", s.Status, backoffFloor)
	}
	c.start(t)
	p.aim(c.agents)
	d.awaitVersion(t, id, 1)
	attempts := p.attempts()[before:]
	if len(attempts) != 2 || attempts[1].Sub(attempts[0]) < backoffFloor {
		t.Errorf("the agent came at %v, want it twice and at least %v apart", attempts, backoffFloor)
	}
	eventually(t, "a status without an error", func() bool { return statusOf(t, dir).LastError == "" })
	if err := running.interrupt(t); err != nil {
		t.Errorf("the agent was told to stop: %v", err)
	}
}

// TestSyncWithoutACollector: muster-agent sync reports the reason, and nothing is lost.
func TestSyncWithoutACollector(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	c, m := newCollector(t, url), newMachine(70, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	dir := enrollProgram(t, c, p.address)
	a.mustSync(t)
	p.aim("")
	truth := m.snapshot()
	for range 5 {
		m.change()
		if _, err := a.Sync(t.Context()); err == nil {
			t.Fatal("nobody acknowledged")
		}
	}
	if _, err := program(t, nil, "sync", "--state", dir); err == nil || !strings.Contains(err.Error(), handshakeFailed) {
		t.Errorf("muster-agent sync: got %v, want %q", err, handshakeFailed)
	}
	if s := statusOf(t, dir); !strings.Contains(s.LastError, handshakeFailed) {
		t.Errorf("muster-agent status: got %q, want %q", s.LastError, handshakeFailed)
	}
	p.aim(c.agents)
	a.mustSync(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, [][]change{m.since(truth)})
	checkThisMachine(t, c, dir)
}

// TestRunningAgentOutlivesItsCollector: a connected agent reconnects after a restart of the
// collector and sends what changed meanwhile.
func TestRunningAgentOutlivesItsCollector(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the first back-off takes up to a minute")
	}
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(71, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	a.run(t)
	d.awaitVersion(t, a.id(t), 1)
	failed := a.log.line("check-in failed")
	c.stop(t)
	await(t, failed)
	truth := [][]change{m.change()}
	c.start(t)
	p.aim(c.agents)
	d.awaitVersion(t, a.id(t), 2)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkIncidents(t, d)
}
