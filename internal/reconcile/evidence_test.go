package reconcile_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestJoinEvidence(t *testing.T) {
	t.Parallel()
	first, ended, at := testTime(1), testTime(2), testTime(3)
	type report = []inventory.Identifier
	type held = []inventory.IdentifierHistory
	reported := inventory.IdentifierHistory{Identifier: "mac:|a", FirstSeen: first}
	past := inventory.IdentifierHistory{Identifier: "mac:|a", FirstSeen: first, LastSeen: &ended}
	gone := inventory.IdentifierHistory{Identifier: "mac:|a", FirstSeen: first, LastSeen: &at}
	added := inventory.IdentifierHistory{Identifier: "mac:|b", FirstSeen: at}
	for name, c := range map[string]struct {
		held     []inventory.IdentifierHistory
		reported []inventory.Identifier
		partial  bool
		want     []inventory.IdentifierHistory
		changed  bool
	}{
		"nothing at all":   {},
		"the first report": {reported: report{"mac:|b"}, want: held{added}, changed: true},
		"the same again":   {held: held{reported}, reported: report{"mac:|a"}, want: held{reported}},
		"one more": {
			held: held{reported}, reported: report{"mac:|a", "mac:|b"}, want: held{reported, added}, changed: true,
		},
		"no longer reported":      {held: held{reported}, want: held{gone}, changed: true},
		"not in a partial report": {held: held{reported}, partial: true, want: held{reported}},
		"still not reported":      {held: held{past}, want: held{past}},
		"reported again":          {held: held{past}, reported: report{"mac:|a"}, want: held{reported}, changed: true},
		"again, in a partial report": {
			held: held{past}, reported: report{"mac:|a"}, partial: true, want: held{reported}, changed: true,
		},
		"another, in a partial report": {
			held: held{reported}, reported: report{"mac:|b"}, partial: true, want: held{reported, added}, changed: true,
		},
		"one reported twice": {reported: report{"mac:|b", "mac:|b"}, want: held{added}, changed: true},
	} {
		got, changed := reconcile.JoinEvidence(c.held, c.reported, at, c.partial)
		if diff := gocmp.Diff(c.want, got); diff != "" || changed != c.changed {
			t.Errorf("%s: changed %v, want %v (-want +got):\n%s", name, changed, c.changed, diff)
		}
	}
}

func histories(list ...inventory.IdentifierHistory) []inventory.IdentifierHistory { return list }

func identifiers(list ...inventory.Identifier) []inventory.Identifier { return list }

func testTime(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }

var someIdentifiers = rapid.SliceOfN(
	rapid.SampledFrom(identifiers("mac:|a", "mac:|b", "serial:dell|1", "serial:dell|2", "os:|1", "disk:wd|1")), 0, 8,
)

// someReport is what a record reports at one time.
type someReport struct {
	identifiers []inventory.Identifier
	partial     bool
}

func joinAll(reports []someReport) []inventory.IdentifierHistory {
	var held []inventory.IdentifierHistory
	for i, r := range reports {
		held, _ = reconcile.JoinEvidence(held, r.identifiers, testTime(i+1), r.partial)
	}
	return sortedHistories(held)
}

func sortedHistories(held []inventory.IdentifierHistory) []inventory.IdentifierHistory {
	held = slices.Clone(held)
	slices.SortFunc(held, func(a, b inventory.IdentifierHistory) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return held
}

func drawReports(t *rapid.T) []someReport {
	reports := make([]someReport, rapid.IntRange(1, 6).Draw(t, "reports"))
	for i := range reports {
		reports[i] = someReport{someIdentifiers.Draw(t, "identifiers"), rapid.Bool().Draw(t, "partial")}
	}
	return reports
}

// TestJoinEvidenceOrder: neither the order of the identifiers in a report nor their repetition
// matters.
func TestJoinEvidenceOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		reports := drawReports(t)
		shuffled := make([]someReport, len(reports))
		for i, r := range reports {
			twice := slices.Concat(r.identifiers, r.identifiers)
			shuffled[i] = someReport{rapid.Permutation(twice).Draw(t, "order"), r.partial}
		}
		if diff := gocmp.Diff(joinAll(reports), joinAll(shuffled)); diff != "" {
			t.Fatalf("in another order (-want +got):\n%s", diff)
		}
	})
}

// TestJoinEvidenceRepeats: a report that arrives again changes nothing, and neither does its
// arrival at a later time.
func TestJoinEvidenceRepeats(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		held, last := joinAll(drawReports(t)), someIdentifiers.Draw(t, "last")
		partial := rapid.Bool().Draw(t, "partial")
		once, _ := reconcile.JoinEvidence(held, last, testTime(10), partial)
		for _, at := range []time.Time{testTime(10), testTime(11)} {
			again, changed := reconcile.JoinEvidence(once, last, at, partial)
			if diff := gocmp.Diff(once, again); diff != "" || changed {
				t.Fatalf("changed %v (-want +got):\n%s", changed, diff)
			}
		}
	})
}

// TestJoinEvidencePartialReportsCommute: partial reports of one time may come in any order.
func TestJoinEvidencePartialReportsCommute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start, at := joinAll(drawReports(t)), testTime(10)
		reports := rapid.SliceOfN(someIdentifiers, 0, 4).Draw(t, "partial reports")
		join := func(order [][]inventory.Identifier) []inventory.IdentifierHistory {
			held := start
			for _, report := range order {
				held, _ = reconcile.JoinEvidence(held, report, at, true)
			}
			return sortedHistories(held)
		}
		if diff := gocmp.Diff(join(reports), join(rapid.Permutation(reports).Draw(t, "order"))); diff != "" {
			t.Fatalf("in another order (-want +got):\n%s", diff)
		}
	})
}

// TestJoinEvidenceLosesNothing: every identifier that was ever reported stays with its first time;
// exactly those of the last complete report and of the partial ones since are still reported.
func TestJoinEvidenceLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		reports := drawReports(t)
		want, current := map[inventory.Identifier]time.Time{}, map[inventory.Identifier]bool{}
		for i, r := range reports {
			if !r.partial {
				clear(current)
			}
			for _, identifier := range r.identifiers {
				current[identifier] = true
				if _, known := want[identifier]; !known {
					want[identifier] = testTime(i + 1)
				}
			}
		}
		got, reported := map[inventory.Identifier]time.Time{}, map[inventory.Identifier]bool{}
		for _, h := range joinAll(reports) {
			got[h.Identifier] = h.FirstSeen
			if h.LastSeen == nil {
				reported[h.Identifier] = true
			} else if h.LastSeen.Before(h.FirstSeen) {
				t.Fatalf("%s ends before it begins", h.Identifier)
			}
		}
		if !maps.Equal(got, want) || !maps.Equal(reported, current) {
			t.Fatalf("identifiers %v, reported %v; want %v, %v", got, reported, want, current)
		}
	})
}

// TestJoinEvidenceKeepsItsArguments: what was held may be used after the call.
func TestJoinEvidenceKeepsItsArguments(t *testing.T) {
	t.Parallel()
	held := histories(inventory.IdentifierHistory{Identifier: "mac:|a", FirstSeen: testTime(1)})
	reconcile.JoinEvidence(held, nil, testTime(2), false)
	if held[0].LastSeen != nil {
		t.Error("the held history changed")
	}
}

func TestJoinValues(t *testing.T) {
	t.Parallel()
	held := inventory.Attributes{"model": "T14", "owner": "Ada"}
	for name, c := range map[string]struct {
		observed inventory.Observed
		want     inventory.Observed
	}{
		"complete": {
			inventory.Observed{Attributes: inventory.Attributes{"model": "T15"}},
			inventory.Observed{Attributes: inventory.Attributes{"model": "T15"}},
		},
		"partial": {
			inventory.Observed{Partial: true, Attributes: inventory.Attributes{"model": "T15"}},
			inventory.Observed{Partial: true, Class: "laptop", Attributes: inventory.Attributes{"model": "T15", "owner": "Ada"}},
		},
		"partial, of another class": {
			inventory.Observed{Partial: true, Class: "desktop"},
			inventory.Observed{Partial: true, Class: "desktop", Attributes: held},
		},
		"nothing": {inventory.Observed{}, inventory.Observed{Attributes: inventory.Attributes{}}},
	} {
		if diff := gocmp.Diff(c.want, reconcile.JoinValues("laptop", held, c.observed)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
