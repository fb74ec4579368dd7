package identify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// result returns the partition, each list sorted.
func (p *partitioning) result() inventory.Partition {
	primaries := p.primaryRecords()
	var out inventory.Partition
	for _, w := range p.records {
		i := p.latest[w.Record]
		out.Assignments = append(out.Assignments, inventory.Assignment{
			Record: w.Record, CI: p.ci(i), Primary: primaries.records[w.Record],
			PreviousCIs: p.previousCIs(i), Reason: p.reason(i),
		})
	}
	slices.SortFunc(out.Assignments, func(a, b inventory.Assignment) int { return cmp.Compare(a.Record, b.Record) })
	out.Reviews = p.reviews()
	out.Findings = p.findings(primaries)
	out.Shared = slices.Sorted(maps.Keys(p.shared.identifiers))
	out.LivenessDependent = p.livenessDependent()
	out.Held = p.heldRecords()
	return out
}

// previousCIs returns the CIs of a record's earlier hardware periods, the last one first.
func (p *partitioning) previousCIs(latest int) []string {
	now := p.ci(latest)
	var previousCIs []string
	for i := latest - 1; i >= 0 && p.nodes[i].record == p.nodes[latest].record; i-- {
		if ci := p.ci(i); ci != now && !slices.Contains(previousCIs, ci) {
			previousCIs = append(previousCIs, ci)
		}
	}
	return previousCIs
}

// reviews returns the pairs that a person should decide: those that did not become one CI.
func (p *partitioning) reviews() []inventory.ReviewCase {
	var reviews []inventory.ReviewCase
	for _, q := range p.pairs {
		if p.open(q) {
			first := q.a
			if p.nodes[q.b].record < p.nodes[first].record {
				first = q.b
			}
			a, b := p.nodes[first].record, p.nodes[q.a+q.b-first].record
			reviews = append(reviews, inventory.ReviewCase{A: a, B: b, Type: q.review, Reason: p.pairReason(q, first)})
		}
	}
	slices.SortFunc(reviews, func(a, b inventory.ReviewCase) int {
		return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	return reviews
}

// open reports whether a pair needs a review. A pair with a past hardware period does not: the
// decision would be applied to the current one.
func (p *partitioning) open(q *pair) bool {
	if q.review == "" || !p.nodes[q.a].latest || !p.nodes[q.b].latest || p.member[q.a] == p.member[q.b] {
		return false
	}
	return q.review != inventory.ReviewAmbiguous || !p.anyBetween(q, func(other *pair) bool { return other.separate })
}

// livenessDependent returns the agents' records that share an identifier with another agent's,
// unless it is known to be shared. Whether both stay alive may yet show that they are two devices.
func (p *partitioning) livenessDependent() []int64 {
	records := map[int64]bool{}
	for _, q := range p.pairs {
		a, b := p.nodes[q.a], p.nodes[q.b]
		if a.record == b.record || !a.agent() || !b.agent() || !compatible(a, b) {
			continue
		}
		for k := range kindCount {
			if k != kindName {
				intersect(a.of(k), b.of(k), p.shared, func(_, _ interval) {
					records[a.record], records[b.record] = true, true
				})
			}
		}
	}
	return slices.Sorted(maps.Keys(records))
}
