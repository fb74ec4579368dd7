package identify

import (
	"cmp"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// cluster joins nodes, the strongest evidence first, unless a pair across the two clusters must
// stay separate. It checks every pair, also those without a common identifier.
func (p *partitioning) cluster() {
	p.clusters, p.member = make([][]int, len(p.nodes)), make([]int, len(p.nodes))
	for i := range p.nodes {
		p.clusters[i], p.member[i] = []int{i}, i
	}
	for _, q := range p.sameDefaultCI() {
		p.join(q, ruleConstraint)
	}
	for _, q := range p.linkedByConstraint() {
		if !p.anyBetween(q, func(other *pair) bool { return other.separate }) {
			p.join(q, ruleConstraint)
		}
	}
	for _, q := range p.links() {
		switch {
		case p.member[q.a] == p.member[q.b]:
		case p.anyBetween(q, func(other *pair) bool { return other.separate || other.veto && !p.bridged(other) }):
			p.rules.review(q, inventory.ReviewBlocked)
		case p.old(q):
			p.rules.review(q, inventory.ReviewOldCIs)
		default:
			p.join(q, q.rule)
		}
	}
	p.reviewMoves()
	p.reviewCurrent()
}

// reviewCurrent moves a review between nodes of past hardware periods to the current nodes of their
// clusters, unless a person separated the two.
func (p *partitioning) reviewCurrent() {
	for _, q := range p.pairs {
		if !q.link || q.review == "" || p.member[q.a] == p.member[q.b] || p.nodes[q.a].latest && p.nodes[q.b].latest {
			continue
		}
		if p.anyBetween(q, func(other *pair) bool { return other.separate }) {
			continue
		}
		i, j := p.present(q.a), p.present(q.b)
		if i >= 0 && j >= 0 && p.between(i, j).review == "" {
			p.rules.review(p.between(i, j), q.review)
		}
	}
}

// present returns the current node of a node's cluster; -1: there is none.
func (p *partitioning) present(i int) int {
	cluster := p.clusters[p.member[i]]
	at := slices.IndexFunc(cluster, func(j int) bool { return p.nodes[j].latest })
	if at < 0 {
		return -1
	}
	return cluster[at]
}

// reviewMoves opens reviews for installations that moved by the evidence, although a hardware
// replacement may explain it as well: are they still what the other records of the old device
// report?
func (p *partitioning) reviewMoves() {
	for _, now := range p.latest {
		entry := p.nodes[now].entry
		if entry == nil || entry.serial {
			continue
		}
		for _, i := range p.clusters[p.member[now-1]] {
			if q := p.between(i, now); i != now && !q.separate && q.review == "" &&
				p.nodes[i].record != p.nodes[now].record {
				p.rules.review(q, inventory.ReviewPossibleBoardSwap)
			}
		}
	}
}

// sameDefaultCI returns the pairs of nodes with one default CI. What a person declares for a CI
// belongs to the device that the CI was created for, and not to a record that left it.
func (p *partitioning) sameDefaultCI() []*pair {
	var pairs []*pair
	first := map[string]int{}
	for i, n := range p.nodes {
		if j, ok := first[n.defaultCI]; ok {
			pairs = append(pairs, p.between(j, i))
			continue
		}
		first[n.defaultCI] = i
	}
	return pairs
}

// linkedByConstraint returns the pairs that are one CI regardless of the evidence, in the order of
// their nodes.
func (p *partitioning) linkedByConstraint() []*pair {
	var pairs []*pair
	for of, c := range p.constraints {
		if c.linked && !c.separate {
			pairs = append(pairs, p.between(p.latest[of.a], p.latest[of.b]))
		}
	}
	slices.SortFunc(pairs, func(a, b *pair) int { return cmp.Or(cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b)) })
	return pairs
}

// links returns the pairs that the evidence links, the strongest first. Ties go to the nodes that
// were created first, so that the order of reports does not matter.
func (p *partitioning) links() []*pair {
	var pairs []*pair
	for _, q := range p.pairs {
		if q.link {
			pairs = append(pairs, q)
		}
	}
	slices.SortFunc(pairs, func(a, b *pair) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
	})
	return pairs
}

// anyBetween reports whether a condition holds for any pair across the clusters of q.
func (p *partitioning) anyBetween(q *pair, condition func(*pair) bool) bool {
	for _, i := range p.clusters[p.member[q.a]] {
		for _, j := range p.clusters[p.member[q.b]] {
			if i != j && condition(p.between(i, j)) {
				return true
			}
		}
	}
	return false
}

// bridged reports whether two nodes that share nothing now are one device: agents that stayed with
// it while its hardware was replaced link the one to the other, directly or in steps.
func (p *partitioning) bridged(q *pair) bool {
	if q.never || p.rules.contradict(q, p.nodes[q.a], p.nodes[q.b], p.shared) {
		return false
	}
	reached := make([]bool, len(p.nodes))
	reached[q.a] = true
	for queue := []int{q.a}; len(queue) > 0; queue = queue[1:] {
		for i, n := range p.nodes {
			if reached[i] || !p.between(i, queue[0]).link {
				continue
			}
			if i == q.b && queue[0] != q.a {
				return true
			}
			if i != q.b && len(n.kept) > 0 {
				reached[i] = true
				queue = append(queue, i)
			}
		}
	}
	return false
}

func (p *partitioning) join(q *pair, rule string) {
	to, from := p.member[q.a], p.member[q.b]
	if to == from {
		return
	}
	q.rule = rule
	p.joined = append(p.joined, q)
	p.clusters[to] = append(p.clusters[to], p.clusters[from]...)
	for _, i := range p.clusters[from] {
		p.member[i] = to
	}
	p.clusters[from] = nil
}

const day = 24 * time.Hour

// old reports whether two CIs with agents existed for long before there was evidence that they are
// one. Such evidence is more often a mistake than a discovery.
func (p *partitioning) old(q *pair) bool {
	a, b := p.clusters[p.member[q.a]], p.clusters[p.member[q.b]]
	if !p.rules.Enabled[ruleReview] || !slices.ContainsFunc(a, p.isAgent) || !slices.ContainsFunc(b, p.isAgent) {
		return false
	}
	youngest := later(p.nodes[p.root(a)].created, p.nodes[p.root(b)].created)
	return p.appeared(q).Sub(youngest) > time.Duration(p.rules.Thresholds.OldDays)*day
}

func (p *partitioning) isAgent(i int) bool { return p.nodes[i].agent() }

// root returns the node whose default CI is that of its cluster: the one that was created first.
func (p *partitioning) root(cluster []int) int {
	return slices.MinFunc(cluster, func(i, j int) int {
		return cmp.Or(p.nodes[i].created.Compare(p.nodes[j].created), cmp.Compare(i, j))
	})
}

// ci returns the CI of a node.
func (p *partitioning) ci(i int) string { return p.nodes[p.root(p.clusters[p.member[i]])].defaultCI }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sortedTimes(times []time.Time) []time.Time {
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}
