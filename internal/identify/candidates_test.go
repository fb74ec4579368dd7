package identify_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// newBlock returns a block in which each record has the identifiers listed for it and a default CI
// of its own. Every identifier was searched.
func newBlock(identifiers map[int64][]inventory.Identifier) *identify.Block {
	b := &identify.Block{
		Evidence: map[int64]inventory.RecordEvidence{}, Searched: map[inventory.Identifier]bool{},
		OverShared: map[inventory.Identifier]bool{},
	}
	for record, has := range identifiers {
		evidence := inventory.RecordEvidence{Record: record, DefaultCI: fmt.Sprintf("ci-%d", record)}
		for _, identifier := range has {
			evidence.Identifiers = append(evidence.Identifiers, inventory.IdentifierInterval{Identifier: identifier})
			b.Searched[identifier] = true
		}
		b.Evidence[record] = evidence
	}
	return b
}

func recordsOf(sets []inventory.CandidateSet) [][]int64 {
	records := make([][]int64, len(sets))
	for i, set := range sets {
		for _, r := range set.Records {
			records[i] = append(records[i], r.Record)
		}
	}
	return records
}

func TestCandidateSets(t *testing.T) {
	t.Parallel()
	identifiers := map[int64][]inventory.Identifier{1: {"mac:|a"}, 2: {"mac:|b"}, 3: {"mac:|a", "os:|c"}, 4: {"os:|c"}}
	for name, c := range map[string]struct {
		change func(*identify.Block)
		want   [][]int64
	}{
		"by identifiers":            {func(*identify.Block) {}, [][]int64{{1, 3, 4}, {2}}},
		"not by an over-shared one": {func(b *identify.Block) { b.OverShared["os:|c"] = true }, [][]int64{{1, 3}, {2}, {4}}},
		"not by one not searched":   {func(b *identify.Block) { delete(b.Searched, "mac:|a") }, [][]int64{{1}, {2}, {3, 4}}},
		"by the default CI": {func(b *identify.Block) {
			r := b.Evidence[2]
			r.DefaultCI = b.Evidence[4].DefaultCI
			b.Evidence[2] = r
		}, [][]int64{{1, 2, 3, 4}}},
		"by a constraint": {func(b *identify.Block) {
			b.Constraints = []inventory.Constraint{{A: 1, B: 2}}
		}, [][]int64{{1, 2, 3, 4}}},
		"not by a constraint with a record that was not read": {func(b *identify.Block) {
			b.Constraints = []inventory.Constraint{{A: 1, B: 9}, {A: 2, B: 9}}
		}, [][]int64{{1, 3, 4}, {2}}},
	} {
		b := newBlock(identifiers)
		c.change(b)
		if diff := cmp.Diff(c.want, recordsOf(b.CandidateSets())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCandidateSetsAreWhole: each record is in one set; two records that share an identifier or a
// constraint are in the same set, and a constraint is in the set of its records.
func TestCandidateSetsAreWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := drawBlock(t)
		setOf, constraints := map[int64]int{}, 0
		for i, set := range b.CandidateSets() {
			for _, r := range set.Records {
				if _, twice := setOf[r.Record]; twice {
					t.Fatalf("record %d is in two sets", r.Record)
				}
				setOf[r.Record] = i
			}
			constraints += len(set.Constraints)
			for _, c := range set.Constraints {
				if setOf[c.A] != i || setOf[c.B] != i {
					t.Fatalf("the constraint of %d and %d is in set %d", c.A, c.B, i)
				}
			}
		}
		if len(setOf) != len(b.Evidence) || constraints != len(b.Constraints) {
			t.Fatalf("%d records and %d constraints, want %d and %d",
				len(setOf), constraints, len(b.Evidence), len(b.Constraints))
		}
		for _, x := range b.Evidence {
			for _, y := range b.Evidence {
				if shareIdentifier(b, x, y) && setOf[x.Record] != setOf[y.Record] {
					t.Fatalf("%d and %d share an identifier and are in two sets", x.Record, y.Record)
				}
			}
		}
	})
}

func drawBlock(t *rapid.T) *identify.Block {
	some := rapid.SampledFrom([]inventory.Identifier{"mac:|a", "mac:|b", "mac:|c", "os:|d", "os:|e", "disk:|f"})
	identifiers := map[int64][]inventory.Identifier{}
	for record := range int64(rapid.IntRange(1, 12).Draw(t, "records")) {
		identifiers[record] = rapid.SliceOfN(some, 0, 2).Draw(t, "identifiers")
	}
	b := newBlock(identifiers)
	record := rapid.Int64Range(0, int64(len(identifiers))-1)
	for range rapid.IntRange(0, 3).Draw(t, "constraints") {
		b.Constraints = append(b.Constraints, inventory.Constraint{A: record.Draw(t, "a"), B: record.Draw(t, "b")})
	}
	for identifier := range b.Searched {
		b.OverShared[identifier] = identifier == "disk:|f"
	}
	return b
}

func shareIdentifier(b *identify.Block, x, y inventory.RecordEvidence) bool {
	return slices.ContainsFunc(x.Identifiers, func(i inventory.IdentifierInterval) bool {
		return !b.OverShared[i.Identifier] && slices.Contains(y.Identifiers, i)
	})
}

// link returns an identifier that two records of a chain share.
func link(i int64) inventory.Identifier { return inventory.Identifier(fmt.Sprintf("mac:|%d", i)) }

// TestExpandable: a set of more than MaxCandidates records is not expanded, others beside it are.
// So is a record that does not exist any more.
func TestExpandable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		chain       int
		expand, cut []int64
	}{
		"a small block":     {2, []int64{0, 5000, 6000}, nil},
		"as many as may be": {identify.MaxCandidates, []int64{0, 5000, 6000}, nil},
		"one more":          {identify.MaxCandidates + 1, []int64{5000, 6000}, []int64{0}},
	} {
		identifiers := map[int64][]inventory.Identifier{5000: {"os:|a"}}
		for i := range int64(c.chain) {
			identifiers[i] = []inventory.Identifier{link(i), link(i + 1)}
		}
		b := newBlock(identifiers)
		expand, cut := b.Expandable([]int64{0, 5000, 6000})
		if !slices.Equal(expand, c.expand) || !slices.Equal(cut, c.cut) {
			t.Errorf("%s: expand %v, cut %v; want %v, %v", name, expand, cut, c.expand, c.cut)
		}
		short := recordsOf(identify.CutShort(b.CandidateSets(), map[int64]bool{5000: true}))
		if diff := cmp.Diff([][]int64{{5000}}, short); diff != "" {
			t.Errorf("%s: cut short (-want +got):\n%s", name, diff)
		}
	}
}
