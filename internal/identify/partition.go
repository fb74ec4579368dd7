package identify

import (
	"cmp"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// Partition decides which records of a candidate set are one CI. Each record is in the set once;
// neither the order of the records nor that of the constraints matters.
func (r *Rules) Partition(n inventory.CandidateSet) inventory.Partition {
	p := newPartitioning(r, n)
	p.pair()
	p.cluster()
	return p.result()
}

// partitioning is the state of one Partition.
type partitioning struct {
	rules       *Rules
	records     []inventory.RecordEvidence // sorted by creation, which breaks ties
	nodes       []*node                    // sorted by record and hardware period
	latest      map[int64]int              // the index of each record's latest node
	constraints map[records]constraint
	overShared  map[inventory.Identifier]bool
	shared      *sharing
	proven      *sharing          // shared, without what constraints add
	pairs       []*pair           // of every two nodes, see between
	clusters    [][]int           // indexes of nodes
	member      []int             // the cluster of each node
	joined      []*pair           // pairs that joined clusters
	held        map[int64]contest // the records that are held, see live.go
}

// records is a pair of records, the smaller id first.
type records struct{ a, b int64 }

func ordered(a, b int64) records { return records{min(a, b), max(a, b)} }

// constraint combines all constraints between two records.
type constraint struct {
	linked, separate, fork bool
	conflict               bool // both were alive at one time
}

func newPartitioning(r *Rules, n inventory.CandidateSet) *partitioning {
	p := &partitioning{
		rules: r, records: slices.Clone(n.Records), latest: map[int64]int{}, constraints: map[records]constraint{},
		overShared: map[inventory.Identifier]bool{}, shared: newSharing(), held: map[int64]contest{},
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
	if p.findHeld(records); len(p.held) > 0 {
		p.shared = newSharing()
		p.markOverShared()
		p.learn(p.without(records, nil))
	}
	for _, n := range records {
		p.nodes = append(p.nodes, r.split(n, p.without(records, n), p.shared)...)
		p.latest[n.record] = len(p.nodes) - 1
	}
	return p
}

// constrain reads the constraints between records of the set.
func (p *partitioning) constrain(constraints []inventory.Constraint) {
	for _, c := range constraints {
		_, a := p.latest[c.A]
		_, b := p.latest[c.B]
		if !a || !b || c.A == c.B {
			continue
		}
		key := ordered(c.A, c.B)
		known := p.constraints[key]
		if c.Origin == inventory.OriginConflict {
			known.conflict = true
			p.constraints[key] = known
			continue
		}
		known.linked = known.linked || c.Linked
		known.separate = known.separate || !c.Linked
		known.fork = known.fork || !c.Linked && c.Origin == inventory.OriginFork
		p.constraints[key] = known
	}
}

// markOverShared marks the over-shared identifiers of the records as shared.
func (p *partitioning) markOverShared() {
	if len(p.overShared) == 0 {
		return
	}
	for _, w := range p.records {
		for _, c := range w.Identifiers {
			if p.overShared[c.Identifier] {
				p.shared.identifiers[c.Identifier], p.shared.reported[c.Identifier] = true, true
			}
		}
	}
}
