package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/pgtest"
)

// inventoried returns the real agent's inventory of this machine: the facts of every collected
// section.
func inventoried(t testing.TB) map[string][]item {
	t.Helper()
	out, err := program(t, nil, "inventory")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Sections map[string]struct {
			Status string           `json:"status"`
			Items  []map[string]any `json:"items"`
		} `json:"sections"`
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		t.Fatal(err)
	}
	found := map[string][]item{}
	for name, section := range document.Sections {
		if section.Status != "ok" && section.Status != "partial" {
			continue
		}
		readings := readingsOf(t, name)
		for _, fields := range section.Items {
			for _, reading := range readings {
				delete(fields, reading)
			}
			found[name] = append(found[name], encode(t, fields))
		}
		slices.Sort(found[name])
		found[name] = slices.Compact(found[name])
	}
	return found
}

// checkThisMachine syncs and compares what the collector holds with this machine. It tries again if
// the machine changed in between.
func checkThisMachine(t testing.TB, c *collector, dir string) {
	t.Helper()
	const attempts = 5
	diff := ""
	for range attempts {
		before := inventoried(t)
		if _, err := program(t, nil, "sync", "--state", dir); err != nil {
			t.Fatal(err)
		}
		device, got := c.deviceOf(t, statusOf(t, dir).AgentID), map[string][]item{}
		for section := range before {
			got[section] = c.held(t, device, section, time.Time{})
		}
		if diff = cmp.Diff(before, got); diff == "" {
			return
		}
	}
	t.Errorf("this machine and what the collector holds of it (-want +got):\n%s", diff)
}

// TestAgentKilledInTheMiddleOfASync kills the real agent with kill -9 while it syncs. After its
// next sync the collector holds what is on this machine, without duplicates.
func TestAgentKilledInTheMiddleOfASync(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	p := newProxy(t, c.agents)
	random := rand.New(rand.NewPCG(60, 1))
	dir := enrollProgram(t, c, p.address)
	p.arm(nil)
	if _, err := program(t, nil, "sync", "--state", dir); err != nil {
		t.Fatal(err)
	}
	size := p.arm(nil)
	killed := 0
	for range rounds(12) {
		dir := enrollProgram(t, c, p.address) // a first sync sends the most
		found := inventoried(t)
		sync := exec.Command(built.agent, "sync", "--state", dir)
		var agent *process
		begun := make(chan struct{})
		p.arm(randomFuse(random, size, func() {
			<-begun
			agent.kill()
		}))
		agent = begin(t, sync)
		close(begun)
		agent.await(t)
		if agent.err != nil {
			killed++
		}
		p.arm(nil)
		checkThisMachine(t, c, dir)
		if cmp.Equal(found, inventoried(t)) {
			checkFeed(t, c, c.deviceOf(t, statusOf(t, dir).AgentID), nil)
		}
	}
	t.Logf("%d of %d agents were killed", killed, rounds(12))
	if killed < rounds(12)/2 {
		t.Errorf("%d of %d agents were killed, want at least half of them", killed, rounds(12))
	}
	checkIncidents(t, d)
	// On hardware with identifiers, all of them are one device.
	if got := value[int](t, d, `select count(*)::int from assignment where valid_to = 'infinity' and record_id in (select record_id from agent)`); got != rounds(12)+1 {
		t.Errorf("%d of %d agents are assigned to a device", got, rounds(12)+1)
	}
}
