package identify

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// sharing says which tokens several things have, so that they count for nothing. A nil sharing knows none.
type sharing struct {
	tokens map[inventory.Token]bool
	told   map[inventory.Token]bool      // of them, those that people should hear of: not by a fork alone
	since  map[inventory.Token]time.Time // of them, those that were one thing's own until then
}

func newSharing() *sharing {
	return &sharing{tokens: map[inventory.Token]bool{}, told: map[inventory.Token]bool{}, since: map[inventory.Token]time.Time{}}
}

// has tells whether a token is shared.
func (s *sharing) has(token inventory.Token) bool { return s != nil && s.tokens[token] }

// between tells whether a token that two nodes have is shared as far as they are concerned: what a copy took with it
// says something about those who had it before there was a copy.
func (s *sharing) between(x, y claim) bool {
	if !s.has(x.token) {
		return false
	}
	since, own := s.since[x.token]
	return !own || !x.first.Before(since) || !y.first.Before(since)
}

// proven gives the sharing without what was settled: only the tokens that contradict themselves.
func (s *sharing) proven() *sharing {
	proven := newSharing()
	for token := range s.tokens {
		if _, own := s.since[token]; !own {
			proven.tokens[token] = true
		}
	}
	return proven
}

// learn finds the tokens that are shared among records: two things have them at one time, and contradict each other
// then in another family or were settled to be two. It is one pass over what all said: what it finds does not change
// what it looks at, so that there is no order in it.
func (p *parting) learn(records []*node) {
	contradicted := map[inventory.Token]bool{}
	for i, a := range records {
		for _, b := range records[:i] {
			if compatible(a, b) {
				p.rules.contradicted(a, b, contradicted)
				p.settle(a, b)
			}
		}
	}
	for token := range contradicted {
		p.shared.tokens[token], p.shared.told[token] = true, true
		delete(p.shared.since, token)
	}
}

// contradicted adds the tokens that two nodes had in common while they contradicted each other in other families.
func (r *Rules) contradicted(a, b *node, tokens map[inventory.Token]bool) {
	if !haveCommon(a, b) {
		return
	}
	for _, w := range r.windows(a, b, nil) {
		s := w.score
		for k := range kindCount {
			if r.contradiction(&s, r.kinds[k].family) < r.Thresholds.Contradiction {
				continue
			}
			intersect(w.a.of(k), w.b.of(k), nil, func(x, _ claim) { tokens[x.token] = true })
		}
	}
}

// settle takes the tokens as shared that two records have at one time which are to be kept apart.
func (p *parting) settle(a, b *node) {
	settled := p.constraints[ordered(a.record, b.record)]
	if !settled.apart {
		return
	}
	for k := range kindCount {
		intersect(a.of(k), b.of(k), nil, func(x, y claim) {
			if x.overlaps(y) {
				p.shared.settle(x.token, later(x.first, y.first), settled.fork)
			}
		})
	}
}

// settle marks a token of two records that are to be kept apart, from the time on when both had it.
func (s *sharing) settle(token inventory.Token, since time.Time, fork bool) {
	s.tokens[token] = true
	if !fork {
		s.told[token] = true
	}
	if known, ok := s.since[token]; !ok || since.Before(known) {
		s.since[token] = since
	}
}
