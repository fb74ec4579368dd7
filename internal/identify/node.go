package identify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// The classes of sources that matter to identity. Others, such as a purchase or a person, say what they were told.
const (
	sourceAgent     = "agent"     // it is in the machine: what it says is so now
	sourceInventory = "inventory" // it looked at the machine once
)

// interval is an identifier that a node has or had.
type interval struct {
	identifier  inventory.Identifier
	kind        int
	first, last time.Time
	current     bool // it had the identifier when it was last observed
	doubtful    bool // of a state: it may not have held then
}

// overlaps reports whether two intervals held at one time, for more than an instant of which nobody knows what was first.
func (c interval) overlaps(d interval) bool { return c.first.Before(d.last) && d.first.Before(c.last) }

// node is what is placed: one device as one record saw it. A record whose installation moved has several.
type node struct {
	record    int64
	period    int    // of the record, from the first
	latest    bool   // the record's thing is this one now
	class     string // of the thing; "": not said
	source    string // its class
	created   time.Time
	seen      time.Time
	defaultCI string
	intervals []interval // sorted by identifier, so that those of a kind stand together
	starts    [kindCount + 1]int
	entry     *change   // by which the record came to it from another device; nil: it did not
	kept      []*change // of its parts, by the time

	restless     bool    // parts were replaced, so that intervals may not have held all the time: see Rules.doubted
	observations []*node // see Rules.sightings; nil: not made yet
}

// of returns the intervals of a kind.
func (n *node) of(k int) []interval { return n.intervals[n.starts[k]:n.starts[k+1]] }

// agent reports whether the node's source is alive in it.
func (n *node) agent() bool { return n.source == sourceAgent }

// index makes the intervals fit to be compared.
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

// find returns the node's interval of an identifier, nil where it has none.
func (n *node) find(identifier inventory.Identifier) *interval {
	k := kindOf(identifier)
	if k < 0 {
		return nil
	}
	intervals := n.of(k)
	i, ok := slices.BinarySearchFunc(intervals, identifier, func(c interval, t inventory.Identifier) int { return cmp.Compare(c.identifier, t) })
	if !ok {
		return nil
	}
	return &intervals[i]
}

// whole returns a record as one node, without what is over-shared.
func (r *Rules) whole(w inventory.RecordEvidence, overShared map[inventory.Identifier]bool) *node {
	kind, _, _ := strings.Cut(w.Source, ":")
	n := &node{
		record: w.Record, latest: true, class: w.BaseClass, source: r.Sources[kind],
		created: w.CreatedAt, seen: w.SeenAt, defaultCI: w.DefaultCI, intervals: make([]interval, 0, len(w.Identifiers)),
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

// doubted reports whether an interval of a thing's only part of a kind may not have held at a time: after another such part was
// last there, and before the next one of its kind was. Either that was replaced, or the record was elsewhere.
func (r *Rules) doubted(intervals []interval, c interval, from, to time.Time) bool {
	if !r.kinds[c.kind].Single {
		return false
	}
	return slices.ContainsFunc(intervals, func(d interval) bool {
		return r.kinds[d.kind].Single && !d.last.Before(c.first) && d.last.Before(from) && slices.ContainsFunc(intervals, func(e interval) bool {
			return e.kind == d.kind && to.Before(e.first) && !e.first.After(c.last)
		})
	})
}

// join makes one of the intervals of an identifier, which are sorted: the earliest beginning and the latest end.
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
