package ingest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

func (e *fixture) wantRetired(t testing.TB, when, ci string, want bool) {
	t.Helper()
	if got := e.ci(t, ci, time.Time{}).RetiredAt != nil; got != want {
		t.Errorf("%s: retired: %v", when, got)
	}
}

// checkIn has an unchanged machine check in. Its assignment must be liveness-dependent, or the
// collector would not resolve it again.
func (m *machine) checkIn(t testing.TB) {
	t.Helper()
	record := m.mustRecord(t)
	if !record.LivenessDependent {
		t.Fatal("nobody will look when it is heard of")
	}
	states, err := m.SectionStates(t.Context(), record.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ingester.Reconsider(t.Context(), record, states); err != nil {
		t.Fatal(err)
	}
}

// openFindings returns the kinds of the open findings of a CI.
func (e *fixture) openFindings(t testing.TB, ci string) []string {
	t.Helper()
	identity, err := e.Identity(t.Context(), ci, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{}
	for _, f := range identity.Findings {
		if f.ClosedAt == nil {
			kinds = append(kinds, f.Type)
		}
	}
	return kinds
}

const conflicting = "attribute_conflict"

// TestListsDoNotRestore imports an old list that names retired CIs. Only a source that observes a
// CI restores it.
func TestListsDoNotRestore(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	options := inventory.ImportOptions{Name: "purchases"}
	const list = "serial_number;manufacturer;class;cost\nSVC0001;Dell;laptop;1199\n"
	ci := e.load(t, "csv", list, options).Documents[0].CI
	if err := e.RetireCI(t.Context(), ci, auditor); err != nil {
		t.Fatal(err)
	}
	again := e.load(t, "csv", list, options)
	if row := again.Documents[0]; again.Unchanged != 1 || !strings.Contains(strings.Join(row.Warnings, " "), "an import does not restore a retired CI") {
		t.Errorf("again: %+v", row)
	}
	e.wantRetired(t, "the same list", ci, true)
	e.load(t, "csv", strings.Replace(list, "1199", "999", 1), options)
	e.wantRetired(t, "another price", ci, true)
	if _, seen := e.agent(t, laptop(1)); seen != ci {
		t.Errorf("the agent's is %s", seen)
	}
	e.wantRetired(t, "an agent", ci, false)
}

// TestRetiredAndThere has a retired machine check in unchanged. It is restored, with a finding that
// stays open until it is retired again.
func TestRetiredAndThere(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m, ci := e.agent(t, laptop(1))
	for range 2 {
		if err := e.RetireCI(t.Context(), ci, auditor); err != nil {
			t.Fatal(err)
		}
		if kinds := e.openFindings(t, ci); len(kinds) != 0 {
			t.Errorf("retired, with the findings %v", kinds)
		}
		m.checkIn(t)
		e.wantRetired(t, "it checked in", ci, false)
		if n := e.count(t, "operating_system_installation"); n != 1 {
			t.Errorf("%d systems when it checked in", n)
		}
		if kinds := e.openFindings(t, ci); len(kinds) != 1 || kinds[0] != "returned" || m.mustRecord(t).LivenessDependent {
			t.Errorf("findings %v, liveness-dependent: %v", kinds, m.mustRecord(t).LivenessDependent)
		}
	}
}

// TestRetiredComponentAndThere: so is a part that is retired and seen at a machine that checks in.
func TestRetiredComponentAndThere(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	h.displays = append(h.displays, display("CN-1"))
	m, ci := e.agent(t, h)
	for _, relation := range []string{"installed_on", "connected_to"} {
		part := e.related(t, ci, relation, time.Time{})[0]
		if err := e.RetireCI(t.Context(), part, auditor); err != nil {
			t.Fatal(err)
		}
		m.checkIn(t)
		e.wantRetired(t, relation, part, false)
		if m.mustRecord(t).LivenessDependent {
			t.Error("it is asked each time")
		}
	}
}

// TestDisposedAndThere has a machine check in that is disposed of. A finding is open until its
// life-cycle state changes.
func TestDisposedAndThere(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m, ci := e.agent(t, laptop(1))
	conflicts := func() (n int) {
		m.checkIn(t)
		for _, kind := range e.openFindings(t, ci) {
			if kind == conflicting {
				n++
			}
		}
		return n
	}
	declare(t, e, ci, map[string]any{"lifecycle_state": "disposed"})
	for range 2 {
		if n := conflicts(); n != 1 {
			t.Errorf("%d conflicts when it checked in", n)
		}
	}
	declare(t, e, ci, map[string]any{"lifecycle_state": "in_use"})
	if n := conflicts(); n != 0 || m.mustRecord(t).LivenessDependent {
		t.Errorf("in use again, with %d conflicts, liveness-dependent: %v", n, m.mustRecord(t).LivenessDependent)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	ci, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "monitor", Name: "spare", Attributes: inventory.Attributes{"cost": 10}}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.RestoreCI(t.Context(), ci, auditor); !isConflict(err) {
		t.Errorf("one that is not retired: %v", err)
	}
	if err := e.RetireCI(t.Context(), ci, auditor); err != nil {
		t.Fatal(err)
	}
	if err := e.RestoreCI(t.Context(), ci, inventory.Actor{Name: "bob", Reason: "found"}); err != nil {
		t.Fatal(err)
	}
	e.wantRetired(t, "restored", ci, false)
	if got := e.ci(t, ci, time.Time{}); got.Name != "spare" || len(got.Attributes) != 1 {
		t.Errorf("restored as %+v", got.CI)
	}
}

// TestClassOfAnotherBaseClass: a declaration, a lock or a merge cannot turn an observed computer
// into a printer. Within its base class, a lock wins over the observed class.
func TestClassOfAnotherBaseClass(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	_, ci := e.agent(t, laptop(1))
	assignment, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "location", Name: "Berlin"}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.LockAttribute(t.Context(), ci, inventory.Lock{Attribute: "class", Value: "ci"}, auditor); err == nil {
		t.Error("a computer is held to be anything")
	}
	monitor := "monitor"
	if _, err := e.CreateRelationship(t.Context(), inventory.NewRelationship{Type: "located_in", From: ci, To: assignment}, auditor); err != nil {
		t.Fatal(err)
	}
	if err := e.DeclareCI(t.Context(), assignment, inventory.Declaration{Class: &monitor}, auditor); err == nil {
		t.Error("a computer is located in a monitor")
	}
	printer := "printer"
	_, merged := e.MergeCIs(t.Context(), []string{ci, assignment}, auditor)
	for name, err := range map[string]error{
		"declared": e.DeclareCI(t.Context(), ci, inventory.Declaration{Class: &printer}, auditor),
		"locked":   e.LockAttribute(t.Context(), ci, inventory.Lock{Attribute: "class", Value: printer}, auditor),
		"merged":   merged,
		"no class": e.LockAttribute(t.Context(), ci, inventory.Lock{Attribute: "class", Value: "toaster"}, auditor),
	} {
		var refused *inventory.Error
		if !errors.As(err, &refused) || refused.Code != inventory.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := e.ci(t, ci, time.Time{}); got.Class != "laptop" || len(got.Sources) != 1 {
		t.Errorf("it is a %s with %d sources", got.Class, len(got.Sources))
	}
	if err := e.LockAttribute(t.Context(), ci, inventory.Lock{Attribute: "class", Value: "desktop"}, auditor); err != nil {
		t.Fatal(err)
	}
	if got := e.ci(t, ci, time.Time{}); got.Class != "desktop" || got.Provenance["class"].Rule != "lock" {
		t.Errorf("locked, it is a %s: %+v", got.Class, got.Provenance["class"])
	}
}

// TestFindingsEndWithAMerge: the conflicts between two merged CIs end when the merge is undone.
func TestFindingsEndWithAMerge(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	_, a := e.agent(t, laptop(1))
	_, b := e.agent(t, laptop(2))
	ci, err := e.MergeCIs(t.Context(), []string{a, b}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(e.openFindings(t, ci), conflicting) {
		t.Error("two serial numbers and no finding")
	}
	identity, err := e.Identity(t.Context(), ci, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UndoDecision(t.Context(), identity.Decisions[0].ID, auditor); err != nil {
		t.Fatal(err)
	}
	if kinds := slices.Concat(e.openFindings(t, a), e.openFindings(t, b)); slices.Contains(kinds, conflicting) {
		t.Errorf("after the undo there are %v", kinds)
	}
}

// TestDependentsComeAndGo: an installation is there while the machine is that it was found on; a
// display with a serial number stays what it is.
func TestDependentsComeAndGo(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	h.displays = append(h.displays, display("CN-1"))
	m, ci := e.agent(t, h)
	want := func(when string, installations, monitors int) {
		t.Helper()
		if i, n := e.count(t, "operating_system_installation"), e.count(t, "monitor"); i != installations || n != monitors {
			t.Errorf("%s: %d installations and %d monitors, want %d and %d", when, i, n, installations, monitors)
		}
	}
	want("new", 1, 1)
	before := e.related(t, ci, "installed_on", time.Time{})
	then := e.now(t)
	h.install = "ffffffffffffffffffffffffffffffff"
	mustObserve(t, m, h.report())
	want("installed anew", 1, 1)
	if now := e.related(t, ci, "installed_on", time.Time{}); len(now) != 1 || now[0] == before[0] {
		t.Errorf("it has the installations %v, and had %v", now, before)
	}
	old := e.ci(t, before[0], time.Time{})
	if old.RetiredAt == nil || old.RetiredBy != "" {
		t.Errorf("the old installation was retired at %v by %q", old.RetiredAt, old.RetiredBy)
	}
	if past := e.ci(t, before[0], then); past.RetiredAt != nil {
		t.Error("it was retired before it was")
	}
	if err := e.RetireCI(t.Context(), ci, auditor); err != nil {
		t.Fatal(err)
	}
	want("retired", 0, 1)
	h.host = "again"
	mustObserve(t, m, h.report())
	want("back", 1, 1)
}

// TestTwoToolsOnOneMachine: of two tools that tell of one machine, the parts are not there twice.
func TestTwoToolsOnOneMachine(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	body := string(corpus(t, "inventories/fusioninventory-xml/3.xml"))
	counts := func() (list []int) {
		for _, class := range []string{"computer", "operating_system_installation", "person", "monitor"} {
			list = append(list, e.count(t, class))
		}
		return list
	}
	first := e.load(t, "fusioninventory-xml", body, inventory.ImportOptions{})
	one := counts()
	second := e.load(t, "ocs-xml", body, inventory.ImportOptions{})
	if first.Documents[0].CI != second.Documents[0].CI {
		t.Fatalf("two machines: %+v, %+v", first, second)
	}
	if two := counts(); !slices.Equal(one, two) {
		t.Errorf("computers, installations, persons, monitors: %v, and %v with the other tool", one, two)
	}
}
