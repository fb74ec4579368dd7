package identify

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// change is what became of a record's hardware between two of its reports.
type change struct {
	at       time.Time // the last report before it
	next     time.Time // the first one after it that differed
	before   *node     // the hardware as it was then, all of it current
	after    *node
	score    score
	families []int // that contradict
	changed  []int // those, and those that came or went
	serial   bool  // the serial number contradicts: a board's replacement does not explain that
}

// split gives the nodes of a record, the latest last. An agent's installation may move into another device with its
// disk: its claims alone tell, and in doubt what others knew before.
func (r *Rules) split(n *node, all []*node, shared *sharing) []*node {
	if !n.agent() {
		return []*node{n}
	}
	var cuts, kept []*change
	for _, c := range r.changes(n, shared) {
		switch {
		case r.moved(c, n, all, shared):
			cuts = append(cuts, c)
		case len(c.families) > 0:
			kept = append(kept, c)
		}
	}
	eras := []*node{n}
	if len(cuts) > 0 {
		eras = r.cut(n, cuts)
	}
	for _, c := range kept {
		i := slices.IndexFunc(eras, func(e *node) bool { return c.at.Before(e.seen) })
		eras[i].kept = append(eras[i].kept, c)
	}
	return eras
}

// changes compares a node's hardware before and after each of its claims ended.
func (r *Rules) changes(n *node, shared *sharing) []*change {
	var hardware []claim
	for _, c := range n.claims {
		if r.families[r.kinds[c.kind].family].Hardware {
			hardware = append(hardware, c)
		}
	}
	var changes []*change
	for _, at := range endings(hardware, n.seen) {
		c := &change{at: at, next: following(hardware, at)}
		c.before = r.state(hardware, at, func(d claim) bool { return d.last.Equal(at) })
		c.after = r.state(hardware, c.next, func(d claim) bool { return d.first.Equal(c.next) })
		c.score = r.compare(c.before, c.after, shared, time.Time{})
		c.families = r.contradicting(&c.score)
		c.changed = r.changed(c)
		c.serial = r.kinds[kindSerial].compare(c.before.of(kindSerial), c.after.of(kindSerial), shared, time.Time{}).disagree > 0
		changes = append(changes, c)
	}
	return changes
}

// endings gives the times at which claims ended, sorted.
func endings(claims []claim, seen time.Time) []time.Time {
	var ends []time.Time
	for _, c := range claims {
		if c.last.Before(seen) {
			ends = append(ends, c.last)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	return slices.CompactFunc(ends, time.Time.Equal)
}

// following gives the first time after at when a claim began or was last heard.
func following(claims []claim, at time.Time) time.Time {
	var next time.Time
	for _, c := range claims {
		for _, t := range []time.Time{c.first, c.last} {
			if t.After(at) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next
}

// state gives what was held at a time: those of the claims that span it. A claim that spans a gap looks as if it had
// held in it; so where claims are marked, because they ended or began at that very time, they go first. Of what a
// thing has one at a time they are the one. If there is another one all the same, the record was elsewhere and came
// back, and nothing is known but what is marked and what came along.
func (r *Rules) state(claims []claim, at time.Time, marked func(claim) bool) *node {
	spanning := func(c claim) bool { return !c.first.After(at) && !c.last.Before(at) }
	var marks, others [kindCount]int
	for _, c := range claims {
		if marked(c) {
			marks[c.kind]++
		} else if spanning(c) {
			others[c.kind]++
		}
	}
	away := false
	for k := range kindCount {
		away = away || r.kinds[k].Single && marks[k] > 0 && others[k] > 0
	}
	n := &node{}
	for _, c := range claims {
		single := r.kinds[c.kind].Single
		hidden := marks[c.kind] > 0 && (single || away) || away && single
		if marked(c) || spanning(c) && !hidden {
			c.current = true
			n.claims = append(n.claims, c)
		}
	}
	n.index()
	return n
}

// moved tells whether an installation is in another device after a change, rather than in the same with other parts.
func (r *Rules) moved(c *change, n *node, all []*node, shared *sharing) bool {
	if !r.Enabled[ruleMove] || len(c.changed) < r.Thresholds.Families {
		return false
	}
	net := r.hardwareNet(&c.score)
	switch {
	case len(c.families) == 0: // parts that are no longer seen, and others that are seen now
		return slices.ContainsFunc(all, func(other *node) bool {
			return other.record != n.record && compatible(n, other) && r.leaves(c, other, shared) && r.differs(c, other, shared)
		})
	case net <= r.Thresholds.Moved, !r.Enabled[ruleContinuity]:
		return true
	case net >= r.Thresholds.Kept:
		return false
	}
	return slices.ContainsFunc(all, func(other *node) bool {
		return other.record != n.record && compatible(n, other) && (r.enters(c, other, shared) || r.leaves(c, other, shared))
	})
}

// enters tells whether a change led into a device that another record knew before.
func (r *Rules) enters(c *change, other *node, shared *sharing) bool {
	known := other.only(func(d claim) bool { return !d.first.After(c.at) })
	return r.matches(c.after, known, shared) && !r.matches(c.before, known, shared)
}

// leaves tells whether another agent went on to see the device as it was before the change.
func (r *Rules) leaves(c *change, other *node, shared *sharing) bool {
	if !other.agent() {
		return false
	}
	seen := other.after(c.at)
	return r.matches(c.before, seen, shared) && !r.matches(c.after, seen, shared)
}

// differs tells whether the hardware after a change contradicts what another record saw since.
func (r *Rules) differs(c *change, other *node, shared *sharing) bool {
	s := r.compare(c.after, other.after(c.at), shared, time.Time{})
	return r.hardwareNet(&s) <= -r.Thresholds.Contradiction
}

// after gives what a node had later than at a time.
func (n *node) after(at time.Time) *node {
	return n.only(func(c claim) bool { return c.last.After(at) })
}

// only gives those of a node's claims that fulfill a condition, as if it had them now.
func (n *node) only(condition func(claim) bool) *node {
	some := &node{}
	for _, c := range n.claims {
		if condition(c) {
			c.current = true
			some.claims = append(some.claims, c)
		}
	}
	some.index()
	return some
}

// matches tells whether the hardware of two nodes is that of one device.
func (r *Rules) matches(a, b *node, shared *sharing) bool {
	s := r.compare(a, b, shared, time.Time{})
	return r.hardwareNet(&s) >= r.Thresholds.Link
}

// changed gives the families of hardware that contradict what was before, that came and that went. An agent that is not
// let see them any more loses them too, so that they tell only together with a contradiction: of what was before, or of
// what another agent goes on to see.
func (r *Rules) changed(c *change) []int {
	var before, after [kindCount]bool
	for _, d := range c.before.claims {
		before[r.kinds[d.kind].family] = true
	}
	for _, d := range c.after.claims {
		after[r.kinds[d.kind].family] = true
	}
	var changed []int
	for i := range r.families {
		if before[i] != after[i] || slices.Contains(c.families, i) {
			changed = append(changed, i)
		}
	}
	return changed
}

// compatible tells whether two nodes may be of one class of things.
func compatible(a, b *node) bool { return a.class == b.class || a.class == "" || b.class == "" }

// cut parts a node at the changes, which are sorted. What lasts beyond one belongs to the later era only: it moved.
func (r *Rules) cut(n *node, cuts []*change) []*node {
	eras := make([]*node, len(cuts)+1)
	for i := range eras {
		era := *n
		era.era, era.claims, era.latest = i, nil, i == len(cuts)
		if !era.latest {
			era.seen = cuts[i].at
		}
		if i > 0 {
			era.entry = cuts[i-1]
		}
		eras[i] = &era
	}
	starts := make([]start, len(eras))
	for _, c := range n.claims {
		i := slices.IndexFunc(eras, func(e *node) bool { return !c.last.After(e.seen) })
		starts[i].see(r, c, i, cuts)
		if i > 0 && !c.first.After(cuts[i-1].at) && !slices.Contains(cuts[i-1].changed, r.kinds[c.kind].family) {
			c.first = cuts[i-1].next
		}
		c.current = !c.last.Before(eras[i].seen)
		eras[i].claims = append(eras[i].claims, c)
	}
	for _, era := range eras {
		era.index()
	}
	house(eras, starts)
	return eras
}

// start says when a record came to a device, by the identifiers of it: others came along.
type start struct {
	single, any time.Time
}

func (s *start) see(r *Rules, c claim, era int, cuts []*change) {
	f := r.kinds[c.kind].family
	changed := era > 0 && slices.Contains(cuts[era-1].changed, f) || era < len(cuts) && slices.Contains(cuts[era].changed, f)
	if !changed {
		return
	}
	earliest(&s.any, c.first)
	if r.kinds[c.kind].Single {
		earliest(&s.single, c.first)
	}
}

func earliest(t *time.Time, u time.Time) {
	if t.IsZero() || u.Before(*t) {
		*t = u
	}
}

func (s *start) time(fallback time.Time) time.Time {
	switch {
	case !s.single.IsZero():
		return s.single
	case !s.any.IsZero():
		return s.any
	}
	return fallback
}

// house gives each era a CI of its own. That in which the record began keeps the record's; where it returned to that
// device the latest is the first. The others' depend on nothing but when they began, so that they stay.
func house(eras []*node, starts []start) {
	order := make([]int, len(eras))
	for i := range order {
		order[i] = i
	}
	created := func(i int) time.Time { return starts[i].time(eras[i].seen) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Or(created(a).Compare(created(b)), cmp.Compare(a, b)) })
	taken := map[string]bool{}
	for place, i := range order {
		if place > 0 {
			eras[i].created = created(i)
			eras[i].home = derive(eras[i].home, eras[i].created, taken)
		}
		taken[eras[i].home] = true
	}
}

// derive makes a CI's id of another's and a time: RFC 9562 §5.5, version 5.
func derive(home string, at time.Time, taken map[string]bool) string {
	id := home + "@" + strconv.FormatInt(at.UnixMicro(), 10)
	for {
		id = uuid.NewSHA1(uuid.NameSpaceOID, []byte(id)).String()
		if !taken[id] {
			return id
		}
	}
}
