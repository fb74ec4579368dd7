package identify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// Bounds of a candidate set.
const (
	// MaxRecordsPerIdentifier bounds a block: an identifier that more records share is over-shared,
	// and is not evidence about any of them.
	MaxRecordsPerIdentifier = 64
	// MaxCandidates bounds the records of one candidate set that are expanded. The time of a
	// partition grows with the square of its records, and other resolvers wait for its locks.
	MaxCandidates = 1024
)

// Block is what was read around the records of a decision: the records that share an identifier, a
// default CI or a constraint with them, directly or through others. IsBlockingKey reports which
// identifiers to search for.
type Block struct {
	Evidence    map[int64]inventory.RecordEvidence
	Constraints []inventory.Constraint
	Searched    map[inventory.Identifier]bool // all records with them were read, unless over-shared
	OverShared  map[inventory.Identifier]bool
}

// Expandable returns those of records whose candidate set may still grow, and those whose set has
// more than MaxCandidates records already.
func (b *Block) Expandable(records []int64) (expand, cut []int64) {
	if len(b.Evidence) < MaxCandidates {
		return records, nil
	}
	groups, size := b.groups(), map[int64]int{}
	for record := range b.Evidence {
		size[groups.find(record)]++
	}
	for _, record := range records {
		if groups.has(record) && size[groups.find(record)] > MaxCandidates {
			cut = append(cut, record)
		} else {
			expand = append(expand, record)
		}
	}
	return expand, cut
}

// CandidateSets separates the block into sets that share nothing with each other. The sets and
// their records are sorted by record.
func (b *Block) CandidateSets() []inventory.CandidateSet {
	var sets []inventory.CandidateSet
	groups, number := b.groups(), map[int64]int{}
	overShared := slices.Sorted(maps.Keys(b.OverShared))
	for _, record := range slices.Sorted(maps.Keys(b.Evidence)) {
		root := groups.find(record)
		if root == record { // the root is the smallest record of its group
			number[root] = len(sets)
			sets = append(sets, inventory.CandidateSet{OverShared: overShared})
		}
		set := &sets[number[root]]
		set.Records = append(set.Records, b.Evidence[record])
	}
	for _, c := range b.Constraints {
		if groups.has(c.A) && groups.has(c.B) {
			set := &sets[number[groups.find(c.A)]]
			set.Constraints = append(set.Constraints, c)
		}
	}
	for _, set := range sets {
		slices.SortFunc(set.Constraints, func(x, y inventory.Constraint) int {
			return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B), cmp.Compare(x.Origin, y.Origin))
		})
	}
	return sets
}

// CutShort returns the sets with a record that was not expanded: they are not complete.
func CutShort(sets []inventory.CandidateSet, cut map[int64]bool) []inventory.CandidateSet {
	var short []inventory.CandidateSet
	for _, set := range sets {
		if slices.ContainsFunc(set.Records, func(r inventory.RecordEvidence) bool { return cut[r.Record] }) {
			short = append(short, set)
		}
	}
	return short
}

// groups joins the records that share something.
func (b *Block) groups() groups {
	records := slices.Sorted(maps.Keys(b.Evidence))
	joined := newGroups(records)
	byDefaultCI, byIdentifier := map[string]int64{}, map[inventory.Identifier]int64{}
	for _, record := range records {
		evidence := b.Evidence[record]
		joined.join(firstOf(byDefaultCI, evidence.DefaultCI, record), record)
		for _, interval := range evidence.Identifiers {
			if b.Searched[interval.Identifier] && !b.OverShared[interval.Identifier] {
				joined.join(firstOf(byIdentifier, interval.Identifier, record), record)
			}
		}
	}
	for _, c := range b.Constraints {
		joined.join(c.A, c.B)
	}
	return joined
}

// firstOf returns the first record that was noted under a key, and notes record if there is none.
func firstOf[K comparable](noted map[K]int64, key K, record int64) int64 {
	if first, ok := noted[key]; ok {
		return first
	}
	noted[key] = record
	return record
}

// groups is a disjoint-set forest. The root of a group is its smallest member.
type groups map[int64]int64

func newGroups(members []int64) groups {
	g := make(groups, len(members))
	for _, m := range members {
		g[m] = m
	}
	return g
}

// find returns the root of a member's group and halves the path to it.
func (g groups) find(m int64) int64 {
	for g[m] != m {
		g[m] = g[g[m]]
		m = g[m]
	}
	return m
}

func (g groups) has(m int64) bool {
	_, ok := g[m]
	return ok
}

// join makes one group of those of two members. It ignores what is not a member.
func (g groups) join(a, b int64) {
	if !g.has(a) || !g.has(b) {
		return
	}
	a, b = g.find(a), g.find(b)
	g[max(a, b)] = min(a, b)
}
