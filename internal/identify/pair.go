package identify

import (
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// pair is the result of the rules for two nodes.
type pair struct {
	a, b     int // indexes of partitioning.nodes, a < b
	score    score
	bits     int
	rule     string
	link     bool
	separate bool   // never one CI, by a constraint
	veto     bool   // never one CI, by the evidence
	never    bool   // the veto holds whatever other records report
	review   string // the type of the review to open if they do not become one CI; "": none
	common   bool   // they have an identifier in common, whether shared by others or not
}

// ambiguous reports whether a record may belong to either of two CIs that were declared separate,
// because it has the identifiers of both.
func (p *partitioning) ambiguous(a, b *node) bool {
	if len(p.shared.since) == 0 {
		return false
	}
	s := p.rules.compare(a, b, p.proven, time.Time{})
	return p.rules.net(&s) >= p.rules.Thresholds.Link
}

// pair compares every two nodes. Nodes without a common identifier may contradict each other.
func (p *partitioning) pair() {
	p.proven = p.shared.proven()
	for j := range p.nodes {
		for i := range j {
			p.pairs = append(p.pairs, p.evaluate(i, j))
		}
	}
}

// between returns the pair of two nodes.
func (p *partitioning) between(i, j int) *pair {
	if i > j {
		i, j = j, i
	}
	return p.pairs[j*(j-1)/2+i]
}

func (p *partitioning) evaluate(i, j int) *pair {
	a, b := p.nodes[i], p.nodes[j]
	q := &pair{a: i, b: j, rule: ruleNew}
	if a.record == b.record {
		q.rule, q.veto, q.never = ruleMove, true, b.period == a.period+1
		return q
	}
	if !compatible(a, b) {
		q.veto, q.never = true, true
		return q
	}
	q.score = p.rules.compare(a, b, p.shared, time.Time{})
	q.bits = p.rules.net(&q.score)
	q.common = haveCommon(a, b)
	if p.constraints[ordered(a.record, b.record)].separate {
		q.rule, q.separate = ruleConstraint, true
		return q
	}
	p.rules.decide(q, a, b, p.shared)
	if q.rule == ruleNew && p.ambiguous(a, b) {
		p.rules.review(q, inventory.ReviewAmbiguous)
	}
	p.hold(q)
	return q
}

func haveCommon(a, b *node) bool {
	found := false
	for k := range kindCount {
		if k != kindName {
			intersect(a.of(k), b.of(k), nil, func(_, _ interval) { found = true })
		}
	}
	return found
}

// decide applies the first rule that matches.
func (r *Rules) decide(q *pair, a, b *node, shared *sharing) {
	c := &comparison{
		bits: q.bits, weak: r.weak(&q.score), worst: r.worst(&q.score), agreeing: r.agreeing(&q.score),
		native:    q.score.families[r.kinds[kindNative].family].agree > 0,
		veto:      r.Enabled[ruleVeto] && (q.bits <= r.Thresholds.Veto || r.contradict(q, a, b, shared)),
		boardSwap: r.possibleBoardSwap(q, a, b),
	}
	for _, rule := range decisionRules {
		if rule.pair == nil || rule.name != ruleNew && !r.Enabled[rule.name] {
			continue
		}
		if decided, ok := rule.pair(&r.Thresholds, c); ok {
			q.rule, q.link, q.review = rule.name, decided.link, decided.review
			q.veto = c.veto && rule.name != ruleNative
			return
		}
	}
}

// contradict reports whether two agents reported at one time what one machine cannot have.
func (r *Rules) contradict(q *pair, a, b *node, shared *sharing) bool {
	if !a.agent() || !b.agent() || q.bits >= r.Thresholds.Alive {
		return false
	}
	return slices.ContainsFunc(r.windows(a, b, shared), func(w window) bool {
		return r.against(&w.score) >= r.Thresholds.Contradiction
	})
}

func (r *Rules) review(q *pair, reviewType string) {
	if r.Enabled[ruleReview] {
		q.rule, q.review = ruleReview, reviewType
	}
}

// possibleBoardSwap reports whether an installation and its disk are in other hardware since the
// last report of an earlier agent: either the board was replaced and the agent reinstalled, or the
// disk moved.
func (r *Rules) possibleBoardSwap(q *pair, a, b *node) bool {
	os, disk := q.score.families[r.kinds[kindOS].family], q.score.families[r.kinds[kindDisk].family]
	silent := !a.seen.After(b.created) || !b.seen.After(a.created)
	agrees := os.agree > 0 && disk.agree > 0 && os.agree+disk.agree >= r.Thresholds.Link
	return silent && agrees && r.worst(&q.score) >= r.Thresholds.Disagreement
}

// appeared returns the time since which the evidence for a pair is enough.
func (p *partitioning) appeared(q *pair) time.Time {
	a, b := p.nodes[q.a], p.nodes[q.b]
	times := []time.Time{}
	for k := range kindCount {
		intersect(a.of(k), b.of(k), p.shared, func(x, y interval) { times = append(times, later(x.first, y.first)) })
	}
	var last time.Time
	for _, t := range sortedTimes(times) {
		last = t
		if s := p.rules.compare(a, b, p.shared, t); p.rules.net(&s) >= p.rules.Thresholds.Link {
			break
		}
	}
	return last
}

// sharedOf returns the shared identifiers of a node, sorted.
func (p *partitioning) sharedOf(n *node) []inventory.Identifier {
	var identifiers []inventory.Identifier
	for _, c := range n.intervals {
		if p.shared.has(c.identifier) {
			identifiers = append(identifiers, c.identifier)
		}
	}
	return identifiers
}
