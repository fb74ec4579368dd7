package resolve

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// TestAssignmentsOf: a merge of record 2 into the CI of record 1 is one move with its decision,
// both CIs are reconciled, and only the record that is no longer primary is noted as such.
func TestAssignmentsOf(t *testing.T) {
	t.Parallel()
	found := &candidates{
		Block: identify.Block{Evidence: map[int64]inventory.RecordEvidence{
			1: {Record: 1, DefaultCI: "a", Source: inventory.SourceAgent},
			2: {Record: 2, DefaultCI: "b", Source: inventory.SourceAgent},
		}},
		assigned: map[int64]currentAssignment{
			1: {CI: "a", Primary: true, Rule: "alone"},
			2: {CI: "b", Primary: true, Rule: "alone"},
		},
	}
	partition := inventory.Partition{Assignments: []inventory.Assignment{
		{Record: 1, CI: "a", Primary: true, Reason: inventory.Reason{Rule: "alone"}},
		{Record: 2, CI: "a", Reason: inventory.Reason{Rule: "serial"}},
	}}
	var changed changeSet
	got, err := assignmentsOf(found, []inventory.Partition{partition}, &changed, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if len(got.moves) != 1 || got.moves[0].Record != 2 {
		t.Errorf("moves: got %v, want record 2 alone", got.moves)
	}
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"actions", got.decided.actions, []string{inventory.ActionMerged}},
		{"lost primary", got.lostPrimary, []int64{2}},
		{"became primary", len(got.becamePrimary), 0},
		{"touched", changed.touched.take(), []string{"a", "b"}},
		{"compared", changed.compared.take(), []int64{2}},
		{"primary changed", changed.primaryChanged.take(), []int64{2}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestAssignmentsOfReturned: a source that observes a retired CI again restores it; an import does
// not.
func TestAssignmentsOfReturned(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{inventory.SourceAgent: 1, "csv": 0} {
		found := &candidates{
			Block: identify.Block{Evidence: map[int64]inventory.RecordEvidence{
				1: {Record: 1, DefaultCI: "a", Source: source},
			}},
			assigned: map[int64]currentAssignment{1: {CI: "a", Retired: true}},
		}
		partition := inventory.Partition{Assignments: []inventory.Assignment{{Record: 1, CI: "a", Primary: true}}}
		var changed changeSet
		changed.updated.add(1)
		observes := func(source string) bool { return source == inventory.SourceAgent }
		got, err := assignmentsOf(found, []inventory.Partition{partition}, &changed, observes)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.returned) != want {
			t.Errorf("%s: got %d restored CIs, want %d", source, len(got.returned), want)
		}
	}
}
