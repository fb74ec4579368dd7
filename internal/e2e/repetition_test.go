package e2e

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/pgtest"
)

// TestTheSameCheckInTwice: an agent whose state was restored to before its last check-in sends it
// again. The collector already has it and asks for nothing.
func TestTheSameCheckInTwice(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(20, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	before := copyState(t, a.dir)
	truth := [][]change{m.change()}
	a.mustSync(t)
	version := d.versionOf(t, a.id(t))
	for range 3 {
		restoreState(t, before, a.dir)
		a = a.again(t, m, "boot-1")
		if report := a.mustSync(t); len(report.Sections) > 0 {
			t.Errorf("said again: sent %+v, want nothing", report.Sections)
		}
	}
	if got := d.versionOf(t, a.id(t)); got != version {
		t.Errorf("what was said again made %d changes", got-version)
	}
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkIncidents(t, d)
}

// TestTheSameUpdateTwice: an update that is repeated within one answer is applied once, and a
// second commit is ignored.
func TestTheSameUpdateTwice(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(21, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	s := converse(t, c, identityOf(t, a), m)
	before, _ := s.set(t, "software")
	truth := m.change()
	if truth[0].Section == "os" {
		truth = append([]change(nil), truth[1:]...)
		m.hostname--
	}
	s.say(t, s.checkIn(t, a.State.Token()))
	if base := s.hearWant(t).GetSections()[0].GetBaseRoot(); string(base) != string(rootOf(before)) {
		t.Fatal("the collector does not name the base it holds")
	}
	delta := s.delta(t, "software", before)
	s.say(t, updateMessage(delta))
	s.say(t, updateMessage(delta))
	s.say(t, commitMessage())
	s.hearAck(t)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, [][]change{truth})
	checkCounts(t, c, m)

	version := d.versionOf(t, a.id(t))
	s.say(t, commitMessage())
	if _, err := s.receive(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a second commit: got %v, want it refused", err)
	}
	if got := d.versionOf(t, a.id(t)); got != version {
		t.Errorf("a second commit made %d changes", got-version)
	}
}

// TestTheSameCheckInTwiceInOneConversation: the second check-in has a token that its own Ack has
// replaced.
func TestTheSameCheckInTwiceInOneConversation(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(22, "S1")
	a := enroll(t, c, c.agents, m)
	s := converse(t, c, identityOf(t, a), m)
	first := s.checkIn(t, nil)
	s.say(t, first)
	for _, wanted := range s.hearWant(t).GetSections() {
		s.say(t, updateMessage(s.whole(t, wanted.GetSection())))
	}
	s.say(t, commitMessage())
	token := s.hearAck(t).GetToken()
	for range 2 {
		s.say(t, first)
		if got := s.hearAck(t).GetToken(); string(got) != string(token) {
			t.Errorf("said again: got token %x, want the last one %x", got, token)
		}
	}
	if got := d.versionOf(t, a.id(t)); got != 1 {
		t.Errorf("got %d changes, want 1", got)
	}
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, nil)
	checkCounts(t, c, m)
	checkIncidents(t, d)
}
