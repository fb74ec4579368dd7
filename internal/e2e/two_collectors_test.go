package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

// empty makes an empty database on the same server.
func empty(t testing.TB, beside string) (url string) {
	t.Helper()
	server := open(t, sibling(t, beside, "postgres"))
	name := value[string](t, open(t, beside), `select current_database()`) + "_empty"
	server.exec(t, `create database `+name+` template template0`)
	t.Cleanup(func() { _, _ = server.Exec(t.Context(), `drop database `+name+` with (force)`) })
	return sibling(t, beside, name)
}

// TestTwoCollectorsStartOnAnEmptyDatabase: both migrate and make an authority and a master key. In
// the end there is one schema, one authority and one key.
func TestTwoCollectorsStartOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	url := empty(t, pgtest.New(t))
	key := filepath.Join(t.TempDir(), "master.key")
	one, other := prepare(t, url, "--master-key-file", key), prepare(t, url, "--master-key-file", key)
	ready := []func(){one.launch(t), other.launch(t)}
	for _, wait := range ready {
		wait()
	}
	d := open(t, url)
	if got := value[int](t, d, `select count(*)::int from certificate_authority`); got != 1 {
		t.Errorf("got %d authorities, want 1", got)
	}
	if a, b := one.ticket(t, nil).CAPin, other.ticket(t, nil).CAPin; a != b {
		t.Errorf("the collectors have authorities %s and %s", a, b)
	}
	m := newMachine(80, "S1")
	p := newProxy(t, one.agents)
	a := enroll(t, one, p.address, m)
	p.aim(other.agents)
	a.mustSync(t)
	checkEqual(t, one, a, m)

	// The real agent is moved as an operator does it.
	dir := enrollProgram(t, one, one.agents)
	checkThisMachine(t, one, dir)
	ticket := other.ticket(t, nil)
	if _, err := program(t, []string{"MUSTER_TOKEN=" + ticket.Token},
		"enroll", "--state", dir, "--collector", other.agents, "--ca-pin", ticket.CAPin); err != nil {
		t.Fatal(err)
	}
	one.stop(t)
	checkThisMachine(t, other, dir)
	checkDevices(t, other, 2)
}

// TestAgentMovesBetweenTwoCollectors: each check-in goes to the other collector, sometimes while
// the previous one still considers the conversation open. There is one device, and the caches of
// one collector never harm the other.
func TestAgentMovesBetweenTwoCollectors(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	key := filepath.Join(t.TempDir(), "master.key")
	d := open(t, url)
	collectors := []*collector{newCollector(t, url, "--master-key-file", key), newCollector(t, url, "--master-key-file", key)}
	p := newProxy(t, collectors[0].agents)
	m, neighbor := newMachine(81, "S1"), newMachine(81, "S2")
	a := enroll(t, collectors[0], p.address, m)
	b := enroll(t, collectors[1], collectors[1].agents, neighbor)
	b.mustSync(t)
	var truth [][]change
	for round := range rounds(20) {
		p.aim(collectors[round%2].agents)
		if round%5 == 4 {
			a = a.again(t, m, fmt.Sprintf("boot-%d", round))
		}
		for _, sent := range a.mustSync(t).Sections {
			if round > 0 && sent.Whole {
				t.Errorf("round %d: %s was sent whole", round, sent.Section)
			}
		}
		for _, c := range collectors {
			checkEqual(t, c, a, m)
			checkCounts(t, c, m, neighbor)
		}
		truth = append(truth, m.change())
	}
	a.mustSync(t)
	checkFeed(t, collectors[0], a.device, truth)
	checkFeed(t, collectors[1], a.device, truth)
	checkDevices(t, collectors[0], 2)
	checkIncidents(t, d)

	// An open conversation with one collector does not prevent a sync with the other.
	version := d.versionOf(t, a.id(t))
	p.aim(collectors[0].agents)
	truth = append(truth, m.change())
	stop := a.run(t)
	d.awaitVersion(t, a.id(t), version+1)
	collectors[0].kill()
	stop()
	p.aim(collectors[1].agents)
	truth = append(truth, m.change())
	a.mustSync(t)
	checkEqual(t, collectors[1], a, m)
	checkFeed(t, collectors[1], a.device, truth)
	checkCounts(t, collectors[1], m, neighbor)
	checkIncidents(t, d)
}
