package identify

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// sharing says which tokens several things have, so that they count for nothing. A nil sharing knows none.
type sharing struct {
	tokens map[inventory.Token]bool
	told   map[inventory.Token]bool      // of them, those that people should hear of: not by a fork alone
	since  map[inventory.Token]time.Time // of them, those that were one thing's own until then, and nobody contradicts that
}

func newSharing() *sharing {
	return &sharing{tokens: map[inventory.Token]bool{}, told: map[inventory.Token]bool{}, since: map[inventory.Token]time.Time{}}
}

// has tells whether a token is shared.
func (s *sharing) has(token inventory.Token) bool { return s != nil && s.tokens[token] }

// between tells whether a token that two nodes have is shared as far as they are concerned: what a copy took with it says
// something about those who had it before there was a copy.
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

// learn finds the tokens that are shared: two things have them that were there at one time, and that contradict each
// other in another family or were settled to be two. One pass over what all said: what it finds does not change what it
// looks at, so that there is no order in it.
func (p *parting) learn() {
	contradicted := map[inventory.Token]bool{}
	for i, a := range p.nodes {
		for _, b := range p.nodes[:i] {
			if a.record != b.record && compatible(a, b) {
				p.learnFrom(a, b, contradicted)
			}
		}
	}
	for token := range contradicted {
		p.shared.tokens[token], p.shared.told[token] = true, true
		delete(p.shared.since, token)
	}
}

func (p *parting) learnFrom(a, b *node, contradicted map[inventory.Token]bool) {
	settled := p.constraints[ordered(a.record, b.record)]
	var raw *score
	for k := range kindCount {
		intersect(a.of(k), b.of(k), nil, func(x, y claim) {
			if !x.overlaps(y) {
				return
			}
			if raw == nil {
				s := p.rules.compare(a, b, nil, time.Time{})
				raw = &s
			}
			if p.rules.contradiction(raw, p.rules.kinds[k].family) >= p.rules.Thresholds.Contradiction {
				contradicted[x.token] = true
			}
			if settled.apart {
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
