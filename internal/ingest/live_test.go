package ingest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
)

// alive notes a check-in of an agent that is connected. It is silent until then, if that is past.
func (m *machine) alive(t testing.TB, boot string, until time.Duration) {
	t.Helper()
	now := m.now(t)
	presence := inventory.Presence{
		Record: m.mustRecord(t).ID, SeenAt: now, Until: now.Add(until), BootID: boot, Stream: [16]byte{1},
	}
	if err := m.FlushPresence(t.Context(), []inventory.Presence{presence}); err != nil {
		t.Fatal(err)
	}
}

func (e *fixture) openReviews(t testing.TB) []inventory.Review {
	t.Helper()
	var open []inventory.Review
	q := inventory.ReviewQuery{State: "open"}
	if err := e.ListReviews(t.Context(), q, func(r inventory.Review, _ inventory.Position) error {
		open = append(open, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return open
}

func (e *fixture) wantReview(t testing.TB, when string, reviewType string) {
	t.Helper()
	var got []string
	for _, r := range e.openReviews(t) {
		got = append(got, r.Type)
	}
	want := []string{reviewType}
	if reviewType == "" {
		want = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: open reviews (-want +got):\n%s", when, diff)
	}
}

func claimed(n int) hardware {
	h := laptop(n)
	h.displays = []proto.Message{display("CN0123")}
	return h
}

// TestLiveAgentIsNotDisplaced: an agent that claims the machine of another, connected one changes
// nothing of that one's CI. When the first agent is silent the newcomer takes its place, and the
// first one wins back when it returns. A person can decide that both belong together.
func TestLiveAgentIsNotDisplaced(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	e.load(t, "csv", orders, inventory.ImportOptions{Name: "purchases"})
	first, ci := e.agent(t, claimed(1))
	first.alive(t, "a", time.Hour)
	before := e.view(t, ci, time.Time{})

	other := claimed(1)
	other.host, other.software = "impostor", []proto.Message{pkg("netcat", "1")}
	newcomer, own := e.agent(t, other)
	newcomer.alive(t, "b", time.Hour)
	if own == ci {
		t.Fatal("the newcomer is part of the CI of the agent that is connected")
	}
	if diff := cmp.Diff(before, e.view(t, ci, time.Time{})); diff != "" {
		t.Errorf("the newcomer changed the CI (-before +after):\n%s", diff)
	}
	e.wantReview(t, "two agents are alive", inventory.ReviewLiveAgents)
	newcomer.checkIn(t)
	if diff := cmp.Diff(before, e.view(t, ci, time.Time{})); diff != "" {
		t.Errorf("the newcomer's next check-in changed the CI (-before +after):\n%s", diff)
	}

	first.alive(t, "a", -time.Millisecond)
	newcomer.checkIn(t)
	if got := newcomer.mustRecord(t).CI; got != ci {
		t.Errorf("the first agent is silent, and the newcomer is still %s", got)
	}
	if got := e.view(t, ci, time.Time{}).Software; len(got) != 1 {
		t.Errorf("the newcomer is not primary: the software is %v", got)
	}
	e.wantReview(t, "the first agent is silent", "")

	first.alive(t, "c", time.Hour)
	first.checkIn(t)
	newcomer.alive(t, "b", time.Hour)
	newcomer.checkIn(t)
	if got := newcomer.mustRecord(t).CI; got == ci {
		t.Error("the first agent is back, and the newcomer did not leave its CI")
	}
	if diff := cmp.Diff(before.Software, e.view(t, ci, time.Time{}).Software); diff != "" {
		t.Errorf("the first agent is not primary (-before +after):\n%s", diff)
	}
	e.wantReview(t, "the first agent is back", inventory.ReviewLiveAgents)

	if _, err := e.DecideReview(t.Context(), e.openReviews(t)[0].ID, true, auditor); err != nil {
		t.Fatal(err)
	}
	if got := newcomer.mustRecord(t).CI; got != ci {
		t.Errorf("a person accepted the review, and the newcomer is %s", got)
	}
}

// TestLiveAgentsKeptSeparate: a person keeps two agents separate, whoever of them is silent later.
func TestLiveAgentsKeptSeparate(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	first, ci := e.agent(t, claimed(1))
	first.alive(t, "a", time.Hour)
	newcomer, _ := e.agent(t, claimed(1))
	if _, err := e.DecideReview(t.Context(), e.openReviews(t)[0].ID, false, auditor); err != nil {
		t.Fatal(err)
	}
	first.alive(t, "a", -time.Millisecond)
	newcomer.checkIn(t)
	if newcomer.mustRecord(t).CI == ci {
		t.Error("the newcomer joined the CI that a person separated it from")
	}
}

// TestAgentsTakeTurns: two installations on one machine are booted in turns. Nobody is asked.
func TestAgentsTakeTurns(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	linux := claimed(1)
	windows := claimed(1)
	windows.install, windows.host = laptop(2).install, "desk-1-win"
	first, ci := e.agent(t, linux)
	first.alive(t, "1", -time.Millisecond)
	second, also := e.agent(t, windows)
	if also != ci {
		t.Fatal("the second installation is another CI")
	}
	for turn := range 3 {
		second.alive(t, "w", time.Hour)
		second.checkIn(t)
		first.alive(t, string(rune('2'+turn)), time.Hour)
		first.checkIn(t)
		second.alive(t, string(rune('x'+turn)), time.Hour)
		second.checkIn(t)
		if a, b := first.mustRecord(t).CI, second.mustRecord(t).CI; a != ci || b != ci {
			t.Fatalf("turn %d: the installations are on %s and %s, want %s", turn, a, b, ci)
		}
		first.alive(t, string(rune('a'+turn)), time.Hour)
		first.checkIn(t)
	}
	e.wantReview(t, "after six turns", "")
	if got := e.openFindings(t, ci); !slices.Contains(got, inventory.FindingDualBoot) {
		t.Errorf("findings %v", got)
	}
}

// TestFileDoesNotDisplaceALiveAgent: an inventory of another tool that claims the machine of an
// agent, with other software and another name, changes no value that the agent reports.
func TestFileDoesNotDisplaceALiveAgent(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	first, ci := e.agent(t, claimed(1))
	first.alive(t, "a", time.Hour)
	before := e.view(t, ci, time.Time{})
	e.load(t, "glpi-json", `{"action": "inventory", "deviceid": "x-1", "itemtype": "Computer", "content": {
		"hardware": {"name": "other-name", "uuid": "`+laptop(1).uuid+`"},
		"bios": {"smanufacturer": "Dell Inc.", "smodel": "Other", "ssn": "SVC0001", "mmanufacturer": "Dell Inc.", "msn": "/BRD0001/CN12/"},
		"operatingsystem": {"name": "Windows", "full_name": "Microsoft Windows 11 Pro"},
		"softwares": [{"name": "netcat", "version": "1"}]}}`, inventory.ImportOptions{})
	after := e.view(t, ci, time.Time{})
	if diff := cmp.Diff(before.Details.Attributes, after.Details.Attributes); diff != "" {
		t.Errorf("values (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Software, after.Software); diff != "" {
		t.Errorf("software (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Details.Name, after.Details.Name); diff != "" {
		t.Errorf("name (-before +after):\n%s", diff)
	}
}
