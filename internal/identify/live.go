package identify

import (
	"maps"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// A key is authenticated, its claims are not: an agent that reports the machine of another agent
// may be a copy or an impostor. While the agent that was enrolled first is alive, the newcomer is
// held: it is a CI of its own, and its claims are no evidence about other records. When the first
// one is silent, as after a reinstallation, the newcomer takes its place. Agents that take turns,
// such as those of two installations on one machine, stay one CI.

// contest is why a record is held.
type contest struct {
	first  int64 // the record of the agent that was enrolled first
	proven bool  // both are alive; else the first one may yet turn out to be gone
}

// findHeld finds the records that are held. records are whole and sorted by creation.
func (p *partitioning) findHeld(records []*node) {
	if !p.rules.Enabled[ruleLive] {
		return
	}
	for j, newcomer := range records {
		for _, first := range records[:j] {
			if newcomer.session.Since.IsZero() || first.session.Since.IsZero() || !compatible(first, newcomer) {
				continue
			}
			contested, proven := p.contested(first, newcomer)
			known, held := p.held[newcomer.record]
			if contested && (!held || proven && !known.proven) && p.claimsSame(first, newcomer) {
				p.held[newcomer.record] = contest{first: first.record, proven: proven}
			}
		}
	}
}

// contested reports whether a newcomer has to be held if it claims the machine of the first agent,
// and whether both are known to be alive.
func (p *partitioning) contested(first, newcomer *node) (contested, proven bool) {
	constraint := p.constraints[ordered(first.record, newcomer.record)]
	switch {
	case constraint.linked, constraint.separate:
		return false, false
	case newcomer.seen.After(first.session.Until): // it outlived the first one
		return false, false
	case constraint.conflict, beganWithin(first, newcomer), beganWithin(newcomer, first):
		return true, true
	}
	// The newcomer appeared in the session of the first one, which has not missed a check-in yet.
	return newcomer.created.After(first.session.Since), first.session.Connected
}

// beganWithin reports whether the session of a node began within that of another one, which checked
// in before and afterwards without a restart in between.
func beganWithin(n, other *node) bool {
	return !n.session.Since.Before(other.session.Since) && n.session.Since.Before(other.seen)
}

// claimsSame reports whether two agents report one machine now.
func (p *partitioning) claimsSame(a, b *node) bool {
	current := func(c interval) bool { return c.current }
	s := p.rules.compare(a.only(current), b.only(current), p.shared, time.Time{})
	native := s.families[p.rules.kinds[kindNative].family].agree > 0
	return native || p.rules.net(&s) >= p.rules.Thresholds.Link
}

// without returns the records that are not held, and keep.
func (p *partitioning) without(records []*node, keep *node) []*node {
	if len(p.held) == 0 {
		return records
	}
	return slices.DeleteFunc(slices.Clone(records), func(n *node) bool {
		_, held := p.held[n.record]
		return held && n != keep
	})
}

// hold keeps a pair separate if one of its records is held.
func (p *partitioning) hold(q *pair) {
	a, b := p.nodes[q.a], p.nodes[q.b]
	held, is := p.held[b.record]
	other, also := p.held[a.record]
	if !is && !also {
		return
	}
	q.rule, q.link, q.review, q.veto, q.never = ruleNew, false, "", true, true
	if is && held.first == a.record || also && other.first == b.record {
		q.rule = ruleLive
		if held.proven || other.proven {
			q.review = inventory.ReviewLiveAgents
		}
	}
}

// heldBy returns the pair of a held node with the agent that was enrolled first; nil: it is not
// held.
func (p *partitioning) heldBy(i int) *pair {
	held, is := p.held[p.nodes[i].record]
	if !is {
		return nil
	}
	return p.strongest(i, func(q *pair) bool { return p.nodes[q.a+q.b-i].record == held.first })
}

// heldRecords returns the held records, sorted.
func (p *partitioning) heldRecords() []int64 { return slices.Sorted(maps.Keys(p.held)) }
