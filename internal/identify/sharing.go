package identify

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// sharing is the set of identifiers that several devices share, so that they do not count. A nil
// sharing is empty.
type sharing struct {
	identifiers map[inventory.Identifier]bool
	reported    map[inventory.Identifier]bool      // those of them that findings report: not by a fork alone
	since       map[inventory.Identifier]time.Time // those of them that identified one device until then
}

func newSharing() *sharing {
	return &sharing{
		identifiers: map[inventory.Identifier]bool{}, reported: map[inventory.Identifier]bool{},
		since: map[inventory.Identifier]time.Time{},
	}
}

// has reports whether an identifier is shared.
func (s *sharing) has(identifier inventory.Identifier) bool {
	return s != nil && s.identifiers[identifier]
}

// between reports whether an identifier is shared as far as two nodes are concerned. An identifier
// that a clone copied remains evidence between records that had it before the copy existed.
func (s *sharing) between(x, y interval) bool {
	if !s.has(x.identifier) {
		return false
	}
	since, own := s.since[x.identifier]
	return !own || !x.first.Before(since) || !y.first.Before(since)
}

// proven returns the sharing without constraints: only the identifiers with contradictory evidence.
func (s *sharing) proven() *sharing {
	proven := newSharing()
	for identifier := range s.identifiers {
		if _, own := s.since[identifier]; !own {
			proven.identifiers[identifier] = true
		}
	}
	return proven
}

// learn finds the shared identifiers: two devices have one at the same time and contradict each
// other then in another family, or were declared separate. It is one pass whose result does not
// change its input, so the order does not matter.
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
		p.shared.identifiers[identifier], p.shared.reported[identifier] = true, true
		delete(p.shared.since, identifier)
	}
}

// contradicted adds the identifiers that two nodes shared while they contradicted each other in
// other families.
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

// shareSeparated marks the identifiers that two records share at one time although a constraint
// separates them.
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

// markSeparated marks an identifier of two separate records from the time when both had it.
func (s *sharing) markSeparated(identifier inventory.Identifier, since time.Time, fork bool) {
	s.identifiers[identifier] = true
	if !fork {
		s.reported[identifier] = true
	}
	if known, ok := s.since[identifier]; !ok || since.Before(known) {
		s.since[identifier] = since
	}
}
