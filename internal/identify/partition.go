package identify

import (
	"cmp"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// Partition says which records of a candidate set are one CI. The order of what is in it does not matter. Records are
// taken to be in it once.
func (r *Rules) Partition(n inventory.CandidateSet) inventory.Partition {
	p := newPartitioning(r, n)
	p.pair()
	p.cluster()
	return p.result()
}

// partitioning is one partition while it is made.
type partitioning struct {
	rules       *Rules
	records     []inventory.RecordEvidence // the first one first: what ties are broken by
	nodes       []*node                    // of each record in their order, and by hardware period
	latest      map[int64]int              // the place in nodes of each record's latest
	constraints map[records]constraint
	overShared  map[inventory.Identifier]bool
	shared      *sharing
	proven      *sharing // without what was settled
	pairs       []*pair  // of nodes: see between
	clusters    [][]int  // places in nodes, sorted
	member      []int    // the cluster of each node
	joined      []*pair  // that joined clusters
}

// records are two records, the smaller first.
type records struct{ a, b int64 }

func ordered(a, b int64) records { return records{min(a, b), max(a, b)} }

// constraint is all that was settled about two records.
type constraint struct {
	linked, separate, fork bool
}

func newPartitioning(r *Rules, n inventory.CandidateSet) *partitioning {
	p := &partitioning{
		rules: r, records: slices.Clone(n.Records), latest: map[int64]int{}, constraints: map[records]constraint{},
		overShared: map[inventory.Identifier]bool{}, shared: newSharing(),
	}
	for _, identifier := range n.OverShared {
		p.overShared[identifier] = true
	}
	slices.SortFunc(p.records, func(a, b inventory.RecordEvidence) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Record, b.Record))
	})
	records := make([]*node, len(p.records))
	for i, w := range p.records {
		records[i] = r.whole(w, p.overShared)
		p.latest[w.Record] = i
	}
	if r.Enabled[ruleConstraint] {
		p.constrain(n.Constraints)
	}
	p.markOverShared()
	p.learn(records)
	for _, n := range records {
		p.nodes = append(p.nodes, r.split(n, records, p.shared)...)
		p.latest[n.record] = len(p.nodes) - 1
	}
	return p
}

// constrain takes the constraints between records that are here.
func (p *partitioning) constrain(constraints []inventory.Constraint) {
	for _, c := range constraints {
		_, a := p.latest[c.A]
		_, b := p.latest[c.B]
		if !a || !b || c.A == c.B {
			continue
		}
		key := ordered(c.A, c.B)
		known := p.constraints[key]
		known.linked = known.linked || c.Linked
		known.separate = known.separate || !c.Linked
		known.fork = known.fork || !c.Linked && c.Origin == inventory.OriginFork
		p.constraints[key] = known
	}
}

// markOverShared counts what is over-shared among what is shared, where it is claimed here.
func (p *partitioning) markOverShared() {
	if len(p.overShared) == 0 {
		return
	}
	for _, w := range p.records {
		for _, c := range w.Identifiers {
			if p.overShared[c.Identifier] {
				p.shared.identifiers[c.Identifier], p.shared.told[c.Identifier] = true, true
			}
		}
	}
}
