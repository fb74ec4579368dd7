package e2e

import (
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/wire"
)

func rootOf(s wire.Set) []byte {
	root := s.Root()
	return root[:]
}

// TestCollectorWhoseRootIsWrong: the collector names a base that the agent never had. The agent
// sends the whole section, and the feed contains only the actual changes.
func TestCollectorWhoseRootIsWrong(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(30, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	var truth [][]change
	for range 3 {
		d.exec(t, `
			update section_states set roots = array(select sha256(r) from unnest(roots) with ordinality u (r, n) order by n)`)
		truth = append(truth, m.change())
		for _, sent := range a.mustSync(t).Sections {
			if !sent.Whole {
				t.Errorf("%s: sent a delta from a base that nobody has", sent.Section)
			}
		}
		checkEqual(t, c, a, m)
	}
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
}

// TestCollectorWhoseItemsDoNotMatchItsRoot: a delta matches the root but not the items. The
// collector detects that, asks for the whole section, and then holds what the machine has.
func TestCollectorWhoseItemsDoNotMatchItsRoot(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(31, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	a.mustSync(t)
	c.stop(t)
	d.exec(t, `
		update item_set s set base_id = null, plus = '{}', minus = null
		from section n where n.id = s.section_id and n.name = 'software'`)
	c.start(t)
	p.aim(c.agents)
	m.changeMany(5)
	report := a.mustSync(t)
	last := report.Sections[len(report.Sections)-1]
	if last.Section != "software" || !last.Whole {
		t.Errorf("sent %+v, want software whole in the end", report.Sections)
	}
	checkEqual(t, c, a, m)
}

// TestDeltaOnABaseThatWasNotAskedFor: the collector asks for the whole section if an agent sends a
// delta on another base.
func TestDeltaOnABaseThatWasNotAskedFor(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	c, m := newCollector(t, url), newMachine(32, "S1")
	a := enroll(t, c, c.agents, m)
	older, _ := (&stream{machine: m}).set(t, "software")
	a.mustSync(t)
	truth := [][]change{m.change()}
	a.mustSync(t)
	s := converse(t, c, identityOf(t, a), m)
	truth = append(truth, m.change())
	s.say(t, s.checkIn(t, a.State.Token()))
	for _, wanted := range s.hearWant(t).GetSections() {
		if wanted.GetSection() == "software" {
			s.say(t, updateMessage(s.delta(t, "software", older)))
		} else {
			s.say(t, updateMessage(s.whole(t, wanted.GetSection())))
		}
	}
	s.say(t, commitMessage())
	wanted := s.hearWant(t).GetSections()
	if len(wanted) != 1 || wanted[0].GetSection() != "software" || len(wanted[0].GetBaseRoot()) > 0 {
		t.Fatalf("asked for %v, want to be asked for the whole software", wanted)
	}
	s.say(t, updateMessage(s.whole(t, "software")))
	s.say(t, commitMessage())
	s.hearAck(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
}

// TestDatabaseRestoredFromABackup: the collector has lost the last days, which the agent's deltas
// build on. The agent's next sync restores them, on the same device.
func TestDatabaseRestoredFromABackup(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(33, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	a.mustSync(t)
	truth := [][]change{m.change()}
	a.mustSync(t)
	c.stop(t)
	name := value[string](t, d, `select current_database()`)
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := open(t, sibling(t, url, "postgres"))
	server.exec(t, `create database `+name+`_backup template `+name)

	c.start(t)
	p.aim(c.agents)
	checkEqual(t, c, a, m)
	since := m.snapshot()
	for range 3 {
		m.change()
		a.mustSync(t)
	}
	c.stop(t)
	server.exec(t, `drop database `+name)
	server.exec(t, `alter database `+name+`_backup rename to `+name)
	c.start(t)
	p.aim(c.agents)

	m.change()
	truth = append(truth, m.since(since)) // the collector learns of it at one instant
	a.mustSync(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkDevices(t, c, 1)
	checkIncidents(t, open(t, url), "rollback")
}
