package e2e

import (
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

// TestRunningAgentSendsChangesByItself: an agent checks in at the interval of its collector,
// however short.
func TestRunningAgentSendsChangesByItself(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url, "--check-in-interval", "1s"), newMachine(140, "S1")
	a := enroll(t, c, c.agents, m)
	a.run(t)
	var truth [][]change
	for version := range int64(3) {
		d.awaitVersion(t, a.id(t), version+1)
		checkEqual(t, c, a, m)
		truth = append(truth, m.change())
	}
	d.awaitVersion(t, a.id(t), 4)
	checkFeed(t, c, a.device, truth)
	checkIncidents(t, d)
}
