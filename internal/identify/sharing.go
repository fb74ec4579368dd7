package identify

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// sharing says which identifiers several things have, so that they count for nothing. A nil sharing knows none.
type sharing struct {
	identifiers map[inventory.Identifier]bool
	told        map[inventory.Identifier]bool      // of them, those that people should hear of: not by a fork alone
	since       map[inventory.Identifier]time.Time // of them, those that were one thing's own until then
}

func newSharing() *sharing {
	return &sharing{identifiers: map[inventory.Identifier]bool{}, told: map[inventory.Identifier]bool{}, since: map[inventory.Identifier]time.Time{}}
}

// has reports whether an identifier is shared.
func (s *sharing) has(identifier inventory.Identifier) bool {
	return s != nil && s.identifiers[identifier]
}

// between reports whether an identifier that two nodes have is shared as far as they are concerned: what a copy took with it
// says something about those who had it before there was a copy.
func (s *sharing) between(x, y interval) bool {
	if !s.has(x.identifier) {
		return false
	}
	since, own := s.since[x.identifier]
	return !own || !x.first.Before(since) || !y.first.Before(since)
}

// proven returns the sharing without what was settled: only the identifiers that contradict themselves.
func (s *sharing) proven() *sharing {
	proven := newSharing()
	for identifier := range s.identifiers {
		if _, own := s.since[identifier]; !own {
			proven.identifiers[identifier] = true
		}
	}
	return proven
}

// learn finds the identifiers that are shared among records: two things have them at one time, and contradict each other
// then in another family or were settled to be two. It is one pass over what all said: what it finds does not change
// what it looks at, so that there is no order in it.
func (p *partitioning) learn(records []*node) {
	contradicted := map[inventory.Identifier]bool{}
	for i, a := range records {
		for _, b := range records[:i] {
			if compatible(a, b) {
				p.rules.contradicted(a, b, contradicted)
				p.shareSeparated(a, b)
			}
		}
	}
	for identifier := range contradicted {
		p.shared.identifiers[identifier], p.shared.told[identifier] = true, true
		delete(p.shared.since, identifier)
	}
}

// contradicted adds the identifiers that two nodes had in common while they contradicted each other in other families.
func (r *Rules) contradicted(a, b *node, identifiers map[inventory.Identifier]bool) {
	if !haveCommon(a, b) {
		return
	}
	for _, w := range r.windows(a, b, nil) {
		s := w.score
		for k := range kindCount {
			if r.contradiction(&s, r.kinds[k].family) < r.Thresholds.Contradiction {
				continue
			}
			intersect(w.a.of(k), w.b.of(k), nil, func(x, _ interval) { identifiers[x.identifier] = true })
		}
	}
}

// shareSeparated takes the identifiers as shared that two records have at one time which are to be kept apart.
func (p *partitioning) shareSeparated(a, b *node) {
	constraint := p.constraints[ordered(a.record, b.record)]
	if !constraint.separate {
		return
	}
	for k := range kindCount {
		intersect(a.of(k), b.of(k), nil, func(x, y interval) {
			if x.overlaps(y) {
				p.shared.markSeparated(x.identifier, later(x.first, y.first), constraint.fork)
			}
		})
	}
}

// markSeparated marks an identifier of two records that are to be kept apart, from the time on when both had it.
func (s *sharing) markSeparated(identifier inventory.Identifier, since time.Time, fork bool) {
	s.identifiers[identifier] = true
	if !fork {
		s.told[identifier] = true
	}
	if known, ok := s.since[identifier]; !ok || since.Before(known) {
		s.since[identifier] = since
	}
}
