package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/pgtest"
)

// backoffFloor is the least that an agent waits after a failure, see link.Backoff.
var backoffFloor = link.Backoff(1, 0)

// nobodyThere is what an agent says of a connection that ends before anybody has spoken.
const nobodyThere = "no TLS connection to the collector comes about"

// TestAgentRunsOnWithoutACollector: muster-agent run meets nobody, comes again only after its back-off, and checks in
// when the collector is back. That waits of many failures grow and are spread, link's own tests show in no time.
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
	if line := await(t, failed); !strings.Contains(line, nobodyThere) {
		t.Errorf("got %s, want it to say %q", line, nobodyThere)
	}
	eventually(t, "a status with the error", func() bool { return strings.Contains(statusOf(t, dir).LastError, nobodyThere) })
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

// TestSyncWithoutACollector: muster-agent sync says why, and nothing is lost.
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
	if _, err := program(t, nil, "sync", "--state", dir); err == nil || !strings.Contains(err.Error(), nobodyThere) {
		t.Errorf("muster-agent sync: got %v, want %q", err, nobodyThere)
	}
	if s := statusOf(t, dir); !strings.Contains(s.LastError, nobodyThere) {
		t.Errorf("muster-agent status: got %q, want %q", s.LastError, nobodyThere)
	}
	p.aim(c.agents)
	a.mustSync(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, [][]change{m.since(truth)})
	checkThisMachine(t, c, dir)
}

// TestRunningAgentOutlivesItsCollector: an agent that waits in its conversation comes again after the collector was
// restarted, and brings what changed meanwhile.
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
