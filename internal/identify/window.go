package identify

import "time"

// window is a time at which two nodes reported and contradicted each other. Everything in a and b
// is current.
type window struct {
	from, to time.Time
	a, b     *node
	score    score
}

// windows returns the times at which the hardware of two nodes differed, one for each two of their
// identifiers. An interval may have gaps: if a node had two identifiers of a single kind in that
// time, the time is not counted.
func (r *Rules) windows(a, b *node, shared *sharing) []window {
	var windows []window
	for k := range kindCount {
		if r.kinds[k].Disagree == 0 {
			continue
		}
		for _, x := range a.of(k) {
			for _, y := range b.of(k) {
				if x.identifier != y.identifier && !shared.has(x.identifier) && !shared.has(y.identifier) &&
					x.overlaps(y) {
					windows = r.look(windows, a, b, shared, later(x.first, y.first), sooner(x.last, y.last))
				}
			}
		}
	}
	return windows
}

// look adds what two nodes had throughout a time, unless the time is already in windows.
func (r *Rules) look(windows []window, a, b *node, shared *sharing, from, to time.Time) []window {
	for _, w := range windows {
		if w.from.Equal(from) && w.to.Equal(to) {
			return windows
		}
	}
	if r.ambiguous(a, from, to) || r.ambiguous(b, from, to) {
		return windows
	}
	w := window{from: from, to: to, a: r.throughout(a, from, to), b: r.throughout(b, from, to)}
	w.score = r.compare(w.a, w.b, shared, time.Time{})
	return append(windows, w)
}

// throughout returns what a node certainly had throughout a time.
func (r *Rules) throughout(n *node, from, to time.Time) *node {
	return n.only(func(c interval) bool {
		return !c.first.After(from) && !c.last.Before(to) && (!n.restless || !r.doubted(n.intervals, c, from, to))
	})
}

// ambiguous reports whether a node had two identifiers of a single kind in a time.
func (r *Rules) ambiguous(n *node, from, to time.Time) bool {
	for k := range kindCount {
		if !r.kinds[k].Single {
			continue
		}
		seen := 0
		for _, c := range n.of(k) {
			if !c.first.After(to) && !c.last.Before(from) {
				seen++
			}
		}
		if seen > 1 {
			return true
		}
	}
	return false
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
