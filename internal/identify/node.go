package identify

import (
	"cmp"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// The classes of sources that the rules treat specially. Others, such as a purchase or a person,
// only declare.
const (
	sourceAgent     = "agent"     // it runs on the machine and reports its current state
	sourceInventory = "inventory" // it observed the machine once
)

// interval is the time in which a node has or had an identifier.
type interval struct {
	identifier  inventory.Identifier
	kind        int
	first, last time.Time
	current     bool // its node had the identifier when it was last observed
	doubtful    bool // in a state: it may not have held then
}

// overlaps reports whether two intervals have more in common than an instant, at which the order of
// events is unknown.
func (c interval) overlaps(d interval) bool { return c.first.Before(d.last) && d.first.Before(c.last) }

// node is one device as one record reports it. A record has one for each hardware period.
type node struct {
	record    int64
	period    int    // the number of the record's hardware period
	latest    bool   // it is the record's current hardware period
	class     string // its base class; "": unknown
	source    string // its class: sourceAgent, sourceInventory or ""
	created   time.Time
	seen      time.Time
	defaultCI string
	session   inventory.Session
	intervals []interval // sorted, so that those of a kind are contiguous
	starts    [kindCount + 1]int
	entry     *change   // the move that began this hardware period; nil: none did
	kept      []*change // replacements within this hardware period, by time

	restless     bool    // hardware was replaced, so intervals may have gaps: see Rules.doubted
	observations []*node // cached by Rules.observations; nil: not yet
}

// of returns the intervals of a kind.
func (n *node) of(k int) []interval { return n.intervals[n.starts[k]:n.starts[k+1]] }

// agent reports whether the node's source runs on the device.
func (n *node) agent() bool { return n.source == sourceAgent }

// index sorts the intervals and finds where each kind begins.
func (n *node) index() {
	slices.SortFunc(n.intervals, func(a, b interval) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.identifier, b.identifier))
	})
	at := 0
	for k := range kindCount {
		n.starts[k] = at
		for at < len(n.intervals) && n.intervals[at].kind == k {
			at++
		}
	}
	n.starts[kindCount] = at
}

// find returns the node's interval of an identifier; nil: it has none.
func (n *node) find(identifier inventory.Identifier) *interval {
	k := kindOf(identifier)
	if k < 0 {
		return nil
	}
	intervals := n.of(k)
	i, ok := slices.BinarySearchFunc(intervals, identifier, func(c interval, t inventory.Identifier) int {
		return cmp.Compare(c.identifier, t)
	})
	if !ok {
		return nil
	}
	return &intervals[i]
}

// whole returns a record as one node, without over-shared identifiers.
func (r *Rules) whole(w inventory.RecordEvidence, overShared map[inventory.Identifier]bool) *node {
	n := &node{
		record: w.Record, latest: true, class: w.BaseClass, source: r.Sources[inventory.SourceCategory(w.Source)],
		created: w.CreatedAt, seen: w.SeenAt, defaultCI: w.DefaultCI, session: w.Session,
		intervals: make([]interval, 0, len(w.Identifiers)),
	}
	for _, c := range w.Identifiers {
		if k := kindOf(c.Identifier); k >= 0 && !overShared[c.Identifier] {
			n.intervals = append(n.intervals, interval{identifier: c.Identifier, kind: k, first: c.First, last: c.Last})
		}
	}
	n.index()
	n.intervals = join(n.intervals)
	n.index()
	for i := range n.intervals {
		n.intervals[i].current = !n.intervals[i].last.Before(n.seen)
	}
	n.restless = slices.ContainsFunc(n.intervals, func(c interval) bool { return r.kinds[c.kind].Single && !c.current })
	return n
}

// doubted reports whether an interval of a single kind may not have held at a time: after another
// single identifier was last reported, and before the next one of its kind was. Either that
// component was replaced, or the record was in another device.
func (r *Rules) doubted(intervals []interval, c interval, from, to time.Time) bool {
	if !r.kinds[c.kind].Single {
		return false
	}
	return slices.ContainsFunc(intervals, func(d interval) bool {
		if !r.kinds[d.kind].Single || d.last.Before(c.first) || !d.last.Before(from) {
			return false
		}
		return slices.ContainsFunc(intervals, func(e interval) bool {
			return e.kind == d.kind && to.Before(e.first) && !e.first.After(c.last)
		})
	})
}

// join merges the intervals of each identifier, which are sorted: the earliest beginning and the
// latest end.
func join(intervals []interval) []interval {
	joined := intervals[:0]
	for _, c := range intervals {
		if n := len(joined); n > 0 && joined[n-1].identifier == c.identifier {
			last := &joined[n-1]
			if c.first.Before(last.first) {
				last.first = c.first
			}
			if c.last.After(last.last) {
				last.last = c.last
			}
			continue
		}
		joined = append(joined, c)
	}
	return joined
}
