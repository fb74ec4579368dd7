package identify

import (
	"cmp"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// reason explains the assignment of a node: by the evidence that joined it toward the root of its
// cluster or, for the root, by what kept it separate.
func (p *partitioning) reason(i int) inventory.Reason {
	var reason inventory.Reason
	if q := p.toward(i); q != nil {
		reason = p.pairReason(q, i)
	} else {
		reason = p.own(i)
	}
	reason.Shared = p.sharedOf(p.nodes[i])
	if n := p.nodes[i]; len(p.overShared) > 0 {
		reason.Shared = append(reason.Shared, p.overSharedOf(n.record)...)
		slices.Sort(reason.Shared)
	}
	reason.Candidates = p.candidates(i)
	return reason
}

func (p *partitioning) overSharedOf(record int64) []inventory.Identifier {
	var identifiers []inventory.Identifier
	for _, w := range p.records {
		for _, c := range w.Identifiers {
			if w.Record == record && p.overShared[c.Identifier] {
				identifiers = append(identifiers, c.Identifier)
			}
		}
	}
	return identifiers
}

// toward returns the joined pair on the path from a node to the root of its cluster; nil: it is the
// root.
func (p *partitioning) toward(i int) *pair {
	root := p.root(p.clusters[p.member[i]])
	reached := map[int]*pair{root: nil}
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		for _, q := range p.joined {
			for _, way := range [][2]int{{q.a, q.b}, {q.b, q.a}} {
				if _, known := reached[way[1]]; way[0] == queue[0] && !known {
					reached[way[1]] = q
					queue = append(queue, way[1])
				}
			}
		}
	}
	return reached[i]
}

// own returns the reason of a root.
func (p *partitioning) own(i int) inventory.Reason {
	n := p.nodes[i]
	if q := p.strongest(i, func(q *pair) bool { return q.separate && q.common }); q != nil {
		return p.pairReason(q, i)
	}
	if q := p.heldBy(i); q != nil {
		return p.pairReason(q, i)
	}
	if n.entry != nil {
		return p.changeReason(ruleMove, n.entry)
	}
	if q := p.strongest(i, p.open); q != nil {
		return p.pairReason(q, i)
	}
	if q := p.strongest(i, func(q *pair) bool { return q.rule == ruleVeto && q.common }); q != nil {
		return p.pairReason(q, i)
	}
	if len(n.kept) > 0 {
		return p.changeReason(ruleContinuity, n.kept[len(n.kept)-1])
	}
	return inventory.Reason{Rule: ruleNew, RulesVersion: p.rules.Version()}
}

// strongest returns the pair of a node with the most bits that fulfills a condition; nil: there is
// none.
func (p *partitioning) strongest(i int, condition func(*pair) bool) *pair {
	var best *pair
	for j := range p.nodes {
		if j == i || !p.nodes[j].latest {
			continue
		}
		if q := p.between(i, j); condition(q) && (best == nil || q.bits > best.bits) {
			best = q
		}
	}
	return best
}

// pairReason returns the rule and the evidence of a pair, as seen from one of its nodes.
func (p *partitioning) pairReason(q *pair, from int) inventory.Reason {
	with := p.nodes[q.a+q.b-from].record
	reason := inventory.Reason{Rule: q.rule, RulesVersion: p.rules.Version(), With: with, Bits: q.bits}
	reason.For, reason.Against = p.rules.evidence(p.nodes[q.a], p.nodes[q.b], &q.score, p.shared)
	return reason
}

func (p *partitioning) changeReason(rule string, c *change) inventory.Reason {
	reason := inventory.Reason{Rule: rule, RulesVersion: p.rules.Version(), Bits: p.rules.hardwareNet(&c.score)}
	reason.For, reason.Against = p.rules.evidence(c.before, c.after, &c.score, p.shared)
	return reason
}

// evidence lists the families of a score.
func (r *Rules) evidence(a, b *node, s *score, shared *sharing) (pro, contra []inventory.Evidence) {
	for i, name := range r.familyNames {
		f := s.families[i]
		if f.agree > 0 {
			pro = append(pro, inventory.Evidence{
				Family: name, Bits: f.agree, Identifiers: r.inCommon(a, b, i, shared), Past: f.past,
			})
		}
		if f.disagree > 0 {
			contra = append(contra, inventory.Evidence{
				Family: name, Bits: f.disagree, Identifiers: r.different(a, b, i, shared),
			})
		}
	}
	byBits := func(a, b inventory.Evidence) int {
		return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.Family, b.Family))
	}
	slices.SortFunc(pro, byBits)
	slices.SortFunc(contra, byBits)
	return pro, contra
}

func (r *Rules) inCommon(a, b *node, family int, shared *sharing) []inventory.Identifier {
	var identifiers []inventory.Identifier
	for k := range kindCount {
		if r.kinds[k].family == family && !r.substituted(k, a, b, shared) {
			intersect(a.of(k), b.of(k), shared, func(x, _ interval) { identifiers = append(identifiers, x.identifier) })
		}
	}
	return identifiers
}

// substituted reports whether a kind does not count because the kind that it substitutes agrees.
func (r *Rules) substituted(k int, a, b *node, shared *sharing) bool {
	other := r.kinds[k].insteadOf
	return other >= 0 && r.kinds[other].compare(a.of(other), b.of(other), shared, time.Time{}).agree > 0
}

// different returns the current identifiers of a family that only one of two nodes has, of the
// kinds that disagree.
func (r *Rules) different(a, b *node, family int, shared *sharing) []inventory.Identifier {
	var identifiers []inventory.Identifier
	for k := range kindCount {
		if r.kinds[k].family != family || r.kinds[k].compare(a.of(k), b.of(k), shared, time.Time{}).disagree == 0 {
			continue
		}
		for _, c := range slices.Concat(a.of(k), b.of(k)) {
			if c.current && !shared.has(c.identifier) {
				identifiers = append(identifiers, c.identifier)
			}
		}
	}
	slices.Sort(identifiers)
	return slices.Compact(identifiers)
}

// candidates returns the other records that share something with a node, those with the most bits
// first.
func (p *partitioning) candidates(i int) []inventory.Candidate {
	var candidates []inventory.Candidate
	for j, n := range p.nodes {
		if j == i || !n.latest {
			continue
		}
		q := p.between(i, j)
		if p.rules.support(&q.score) > 0 || q.separate || q.common && q.rule == ruleVeto || q.rule == ruleLive {
			candidates = append(
				candidates, inventory.Candidate{Record: n.record, CI: p.ci(j), Rule: q.rule, Bits: q.bits},
			)
		}
	}
	slices.SortFunc(candidates, func(a, b inventory.Candidate) int {
		return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.Record, b.Record))
	})
	return candidates
}
