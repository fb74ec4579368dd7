package identify

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// change is a difference in a record's hardware between two of its reports.
type change struct {
	at       time.Time // the last report before it
	next     time.Time // the first one after it that differed
	before   *node     // the hardware as it was then, all of it current
	after    *node
	score    score
	least    int   // net evidence if doubtful intervals count only as evidence for two devices
	families []int // families that contradict
	changed  []int // those, and the ones that appeared or disappeared
	serial   bool  // the serial number contradicts; a replaced board does not explain that
}

// split returns the nodes of a record, one for each hardware period, the latest last. An agent's
// installation may move into another device with its disk. Its own intervals decide; in doubt the
// reports of other records do.
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
	if len(cuts) == 0 {
		n.kept = kept
		return []*node{n}
	}
	return r.cut(n, cuts, kept)
}

// changes compares a node's hardware before and after each end of its intervals.
func (r *Rules) changes(n *node, shared *sharing) []*change {
	hardware := r.hardwareOf(n)
	var changes []*change
	for _, at := range endings(hardware, n.seen) {
		c := &change{at: at, next: following(hardware, at)}
		c.before = r.state(hardware, at, func(d interval) bool { return d.last.Equal(at) })
		c.after = r.state(hardware, c.next, func(d interval) bool { return d.first.Equal(c.next) })
		r.weigh(c, shared)
		c.families = r.contradicting(&c.score)
		c.changed = r.changed(c)
		serial := r.kinds[kindSerial].compare(c.before.of(kindSerial), c.after.of(kindSerial), shared, time.Time{})
		c.serial = serial.disagree > 0
		changes = append(changes, c)
	}
	return changes
}

// weigh compares the hardware before a change with that after it. Doubtful intervals count only as
// evidence for one device; in least only as evidence for two.
func (r *Rules) weigh(c *change, shared *sharing) {
	c.score = r.compare(c.before, c.after, shared, time.Time{})
	net := r.hardwareNet(&c.score)
	c.least = net
	if !c.before.inDoubt() && !c.after.inDoubt() {
		return
	}
	before, after := c.before.sure(), c.after.sure()
	s := r.compare(before, after, shared, time.Time{})
	if sure := r.hardwareNet(&s); sure > net {
		c.before, c.after, c.score = before, after, s
	} else {
		c.least = sure
	}
}

func (r *Rules) hardwareOf(n *node) []interval {
	var hardware []interval
	for _, c := range n.intervals {
		if r.families[r.kinds[c.kind].family].Hardware {
			hardware = append(hardware, c)
		}
	}
	return hardware
}

// endings returns the times at which intervals ended, sorted.
func endings(intervals []interval, seen time.Time) []time.Time {
	var ends []time.Time
	for _, c := range intervals {
		if c.last.Before(seen) {
			ends = append(ends, c.last)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	return slices.CompactFunc(ends, time.Time.Equal)
}

// following returns the first time after at when an interval began or was last reported.
func following(intervals []interval, at time.Time) time.Time {
	var next time.Time
	for _, c := range intervals {
		for _, t := range []time.Time{c.first, c.last} {
			if t.After(at) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next
}

// state returns the hardware at a time: the intervals that span it. Because an interval also spans
// gaps in which the identifier was not reported, the marked ones, which began or ended at that very
// time, take precedence. For a kind of which a device has one at a time, only the marked one
// counts. If another one spans the time nevertheless, the record was in another device in between,
// and only the marked intervals and those that came along are known.
func (r *Rules) state(intervals []interval, at time.Time, marked func(interval) bool) *node {
	spanning := func(c interval) bool { return !c.first.After(at) && !c.last.Before(at) }
	var marks, others [kindCount]int
	for _, c := range intervals {
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
	for _, c := range intervals {
		single := r.kinds[c.kind].Single
		hidden := marks[c.kind] > 0 && (single || away) || away && single
		if marked(c) || spanning(c) && !hidden {
			c.current = true
			c.doubtful = !marked(c) && r.doubted(intervals, c, at, at)
			n.intervals = append(n.intervals, c)
		}
	}
	n.index()
	return n
}

// moved reports whether an installation is in another device after a change, rather than in the
// same one with replaced hardware.
func (r *Rules) moved(c *change, n *node, all []*node, shared *sharing) bool {
	if !r.Enabled[ruleMove] || len(c.changed) < r.Thresholds.Families {
		return false
	}
	net := r.hardwareNet(&c.score)
	switch {
	case len(c.families) == 0: // families that disappeared, and others that appeared
		return slices.ContainsFunc(all, func(other *node) bool {
			return other.record != n.record && compatible(n, other) && r.leaves(c, other, shared)
		})
	case net <= r.Thresholds.Moved, !r.Enabled[ruleContinuity]:
		return true
	case c.least >= r.Thresholds.Kept:
		return false
	}
	return r.coexisted(c, n, all, shared) || r.carried(c, n, all, shared)
}

// coexisted reports whether any record reported the hardware of after the change before the last
// report of the hardware of before it. The one did not replace the other then: they are two
// devices.
func (r *Rules) coexisted(c *change, n *node, all []*node, shared *sharing) bool {
	first, last := c.next, c.at
	for _, other := range all {
		if !compatible(n, other) {
			continue
		}
		for _, s := range r.observations(other) {
			before, after := r.matches(c.before, s, shared), r.matches(c.after, s, shared)
			switch {
			case before == after:
			case after:
				first = sooner(first, s.seen)
			case other.agent(): // other sources may report outdated hardware
				last = later(last, s.seen)
			}
		}
	}
	return first.Before(last)
}

// carried reports whether another agent on the same disk moved between the last report before a
// change and the first one after it.
func (r *Rules) carried(c *change, n *node, all []*node, shared *sharing) bool {
	return slices.ContainsFunc(all, func(other *node) bool {
		return other.record != n.record && other.agent() && compatible(n, other) && onOneDisk(n, other, shared) &&
			slices.ContainsFunc(r.changes(other, shared), func(d *change) bool {
				return d.at.After(c.at) && d.next.Before(c.next) && r.moved(d, other, all, shared)
			})
	})
}

func onOneDisk(a, b *node, shared *sharing) bool {
	found := false
	intersect(a.of(kindDisk), b.of(kindDisk), shared, func(_, _ interval) { found = true })
	return found
}

// leaves reports whether another agent went on to report the device as it was before the change,
// while it contradicted the hardware of after it.
func (r *Rules) leaves(c *change, other *node, shared *sharing) bool {
	return other.agent() && slices.ContainsFunc(r.observations(other), func(s *node) bool {
		return !s.seen.Before(c.next) && r.matches(c.before, s, shared) && r.differs(c.after, s, shared)
	})
}

// differs reports whether the hardware of two nodes is that of two devices.
func (r *Rules) differs(a, b *node, shared *sharing) bool {
	s := r.compare(a, b, shared, time.Time{})
	return r.hardwareNet(&s) <= -r.Thresholds.Contradiction
}

// observations returns the hardware of a node at the times at which it is certain: those at which
// an interval began or was last reported.
func (r *Rules) observations(n *node) []*node {
	if n.observations != nil {
		return n.observations
	}
	hardware := r.hardwareOf(n)
	var times []time.Time
	for _, c := range hardware {
		times = append(times, c.first, c.last)
	}
	for _, at := range sortedTimes(times) {
		s := r.state(hardware, at, func(c interval) bool { return c.first.Equal(at) || c.last.Equal(at) })
		s.seen = at
		n.observations = append(n.observations, s)
	}
	return n.observations
}

func (n *node) inDoubt() bool {
	return slices.ContainsFunc(n.intervals, func(c interval) bool { return c.doubtful })
}

// sure returns the node without doubtful intervals.
func (n *node) sure() *node { return n.only(func(c interval) bool { return !c.doubtful }) }

// only returns a node with the intervals that fulfill a condition, all of them current.
func (n *node) only(condition func(interval) bool) *node {
	some := &node{}
	for _, c := range n.intervals {
		if condition(c) {
			c.current = true
			some.intervals = append(some.intervals, c)
		}
	}
	some.index()
	return some
}

// matches reports whether the hardware of two nodes is that of one device.
func (r *Rules) matches(a, b *node, shared *sharing) bool {
	s := r.compare(a, b, shared, time.Time{})
	return r.hardwareNet(&s) >= r.Thresholds.Link
}

// changed returns the families of hardware that contradict those of before, that appeared or that
// disappeared. An agent that loses the permission to read a family loses it too, so they count only
// together with a contradiction.
func (r *Rules) changed(c *change) []int {
	var before, after [kindCount]bool
	for _, d := range c.before.intervals {
		before[r.kinds[d.kind].family] = true
	}
	for _, d := range c.after.intervals {
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

// compatible reports whether two nodes may be of one class.
func compatible(a, b *node) bool { return a.class == b.class || a.class == "" || b.class == "" }

// cut separates a node at the changes, which are sorted. An interval that continues beyond a change
// belongs to the later hardware period only: it moved along.
func (r *Rules) cut(n *node, cuts, kept []*change) []*node {
	periods := make([]*node, len(cuts)+1)
	for i := range periods {
		period := *n
		period.period, period.intervals, period.latest = i, nil, i == len(cuts)
		if !period.latest {
			period.seen = cuts[i].at
		}
		if i > 0 {
			period.entry = cuts[i-1]
		}
		periods[i] = &period
	}
	starts := make([]start, len(periods))
	for _, c := range n.intervals {
		i := r.periodOf(c.last, periods, kept)
		starts[i].see(r, c, i, cuts)
		if i > 0 && !c.first.After(cuts[i-1].at) && c.last.After(cuts[i-1].at) &&
			!slices.Contains(cuts[i-1].changed, r.kinds[c.kind].family) {
			c.first = cuts[i-1].next
		}
		c.current = !c.last.Before(periods[i].seen)
		periods[i].intervals = append(periods[i].intervals, c)
	}
	for _, c := range kept {
		period := periods[r.periodOf(c.at, periods, kept)]
		period.kept = append(period.kept, c)
	}
	for _, period := range periods {
		period.index()
	}
	assignDefaultCIs(periods, starts)
	return periods
}

// periodOf returns the hardware period of what a record had until a time. A replaced component
// belongs to the period of its replacement: before that ended, the record may have been elsewhere.
func (r *Rules) periodOf(until time.Time, periods []*node, kept []*change) int {
	for _, c := range kept {
		if !c.at.Equal(until) {
			continue
		}
		for _, d := range c.after.intervals {
			if r.kinds[d.kind].Single && d.first.Equal(c.next) {
				return r.periodOf(d.last, periods, kept)
			}
		}
	}
	return slices.IndexFunc(periods, func(e *node) bool { return !until.After(e.seen) })
}

// start is when a record came to a device: the first time of the identifiers that did not come
// along.
type start struct {
	single, any time.Time
}

func (s *start) see(r *Rules, c interval, period int, cuts []*change) {
	f := r.kinds[c.kind].family
	changed := period > 0 && slices.Contains(cuts[period-1].changed, f) ||
		period < len(cuts) && slices.Contains(cuts[period].changed, f)
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

// assignDefaultCIs assigns a default CI to each hardware period. The first one keeps the record's;
// if the record returned to that device, the latest period is the first one. The ids of the others
// depend only on their beginning, so that they are stable.
func assignDefaultCIs(periods []*node, starts []start) {
	order := make([]int, len(periods))
	for i := range order {
		order[i] = i
	}
	created := func(i int) time.Time { return starts[i].time(periods[i].seen) }
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(created(a).Compare(created(b)), cmp.Compare(a, b))
	})
	taken := map[string]bool{}
	for at, i := range order {
		if at > 0 {
			periods[i].created = created(i)
			periods[i].defaultCI = derive(periods[i].defaultCI, periods[i].created, taken)
		}
		taken[periods[i].defaultCI] = true
	}
}

// derive returns an id that is a function of a CI and a time: RFC 9562 §5.5, version 5.
func derive(defaultCI string, at time.Time, taken map[string]bool) string {
	id := defaultCI + "@" + strconv.FormatInt(at.UnixMicro(), 10)
	for {
		id = uuid.NewSHA1(uuid.NameSpaceOID, []byte(id)).String()
		if !taken[id] {
			return id
		}
	}
}
