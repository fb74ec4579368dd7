package identify

import (
	"cmp"
	"slices"
	"time"
)

// score is the evidence that two nodes are one device, by family.
type score struct {
	families [kindCount]familyScore
}

// familyScore is the evidence of a family, in bits.
type familyScore struct {
	agree    int
	disagree int
	past     bool // everything that agrees moved from one to the other
	partial  bool // it disagrees only in addition to what agrees
}

// kindScore is the evidence of a kind, in bits.
type kindScore struct {
	agree, disagree int
	past            bool
	partial         bool
}

// compare weighs the identifiers of two nodes, without shared ones. Unless until is zero, common
// identifiers count only if both nodes had them by then.
func (r *Rules) compare(a, b *node, shared *sharing, until time.Time) score {
	var kinds [kindCount]kindScore
	for k := range kindCount {
		kinds[k] = r.kinds[k].compare(a.of(k), b.of(k), shared, until)
	}
	r.substitute(&kinds)
	var s score
	var agreeing [kindCount]int
	for k, ks := range kinds {
		f := &s.families[r.kinds[k].family]
		f.disagree, f.partial = max(f.disagree, ks.disagree), ks.partial
		if ks.agree > 0 {
			f.past = ks.past && (f.past || agreeing[r.kinds[k].family] == 0)
			f.agree = max(f.agree, ks.agree)
			agreeing[r.kinds[k].family]++
		}
	}
	for i, f := range r.families {
		if agreeing[i] > 1 {
			s.families[i].agree += half(f.Bonus, s.families[i].past)
		}
	}
	return s
}

// substitute applies weight.InsteadOf: a serial number without its manufacturer is less evidence
// than with it, and two that differ only by the name of the manufacturer do not contradict each
// other.
func (r *Rules) substitute(kinds *[kindCount]kindScore) {
	for k := range kinds {
		other := r.kinds[k].insteadOf
		switch {
		case other < 0:
		case kinds[other].agree > 0:
			kinds[k].agree = 0
		case kinds[k].agree > 0:
			kinds[other].disagree = 0
		}
	}
}

func (k *kind) compare(a, b []interval, shared *sharing, until time.Time) kindScore {
	var s kindScore
	if len(a) == 0 || len(b) == 0 {
		return s
	}
	stayed := false // they shared an identifier until one of them lost it: no evidence for two devices
	agrees := func(x, y interval) {
		if !until.IsZero() && (x.first.After(until) || y.first.After(until)) {
			return
		}
		past := went(x, y) || went(y, x)
		stayed = stayed || !past
		s.past = past && (s.past || s.agree == 0)
		s.agree += half(k.Agree, past)
	}
	common := intersect(a, b, shared, agrees)
	s.agree = min(s.agree, k.Cap)
	if common && !k.Single && k.Disagree > 0 && hasOwn(a, b, shared) && hasOwn(b, a, shared) {
		// Things that are plugged in are common to several devices: together they count as one.
		s.agree, s.disagree, s.partial = min(s.agree, k.Agree), k.Disagree, true
		return s
	}
	differ := !common && hasCurrent(a, shared) && hasCurrent(b, shared)
	if k.Disagree > 0 && differ && (!stayed || atOneTime(a, b, shared)) {
		s.disagree = k.Disagree
	}
	return s
}

// hasOwn reports whether the intervals of one node have a current identifier that the other node
// never had.
func hasOwn(a, b []interval, shared *sharing) bool {
	return slices.ContainsFunc(a, func(c interval) bool {
		_, found := slices.BinarySearchFunc(b, c, func(d, c interval) int {
			return cmp.Compare(d.identifier, c.identifier)
		})
		return c.current && !found && !shared.has(c.identifier)
	})
}

// went reports whether an identifier was in one device before it was in another, as a reused board.
// An identifier that both had before one of them lost it belongs to one device that changed.
func went(x, y interval) bool { return !x.current && y.first.After(x.last) }

// half returns the bits, or half of them, rounded down, for past evidence.
func half(bits int, past bool) int {
	if past {
		return bits / 2
	}
	return bits
}

// intersect calls visit for the intervals of identifiers that both have and that are not shared,
// and reports whether both have one of them now.
func intersect(a, b []interval, shared *sharing, visit func(x, y interval)) bool {
	common := false
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch cmp.Compare(a[i].identifier, b[j].identifier) {
		case -1:
			i++
		case 1:
			j++
		default:
			if !shared.between(a[i], b[j]) {
				visit(a[i], b[j])
				common = common || a[i].current && b[j].current
			}
			i, j = i+1, j+1
		}
	}
	return common
}

func hasCurrent(intervals []interval, shared *sharing) bool {
	for _, c := range intervals {
		if c.current && !shared.has(c.identifier) {
			return true
		}
	}
	return false
}

// atOneTime reports whether two nodes had different identifiers at one time. If not, one of them
// may have changed in between.
func atOneTime(a, b []interval, shared *sharing) bool {
	for _, x := range a {
		for _, y := range b {
			if x.current && y.current && !shared.has(x.identifier) && !shared.has(y.identifier) && x.overlaps(y) {
				return true
			}
		}
	}
	return false
}

// net is the evidence for less the evidence against, without weak families.
func (r *Rules) net(s *score) int {
	net := 0
	for i, f := range r.families {
		if !f.Weak {
			net += s.families[i].agree - s.families[i].disagree
		}
	}
	return net
}

// weak is the evidence of the weak families, which may only open a review.
func (r *Rules) weak(s *score) int {
	bits := 0
	for i, f := range r.families {
		if f.Weak {
			bits += s.families[i].agree
		}
	}
	return bits
}

// support is the evidence for, without weak families.
func (r *Rules) support(s *score) int {
	bits := 0
	for i, f := range r.families {
		if !f.Weak {
			bits += s.families[i].agree
		}
	}
	return bits
}

// hardwareNet is net of the hardware alone. A family that depends on another one is not evidence
// against if that one was replaced too.
func (r *Rules) hardwareNet(s *score) int {
	net := 0
	for i, f := range r.families {
		if !f.Hardware {
			continue
		}
		net += s.families[i].agree
		if on := r.on[i]; on < 0 || s.families[on].disagree == 0 {
			net -= s.families[i].disagree
		}
	}
	return net
}

// contradiction is the evidence against less the evidence for of all hardware families but one; -1
// excludes none.
func (r *Rules) contradiction(s *score, but int) int {
	bits := 0
	for i, f := range r.families {
		if f.Hardware && i != but {
			bits += s.families[i].disagree - s.families[i].agree
		}
	}
	return bits
}

// against is all evidence against, without families that agree in part.
func (r *Rules) against(s *score) int {
	bits := 0
	for i := range r.families {
		if !s.families[i].partial {
			bits += s.families[i].disagree
		}
	}
	return bits
}

// worst is the largest disagreement of a family that does not agree in part.
func (r *Rules) worst(s *score) int {
	bits := 0
	for i := range r.families {
		if !s.families[i].partial {
			bits = max(bits, s.families[i].disagree)
		}
	}
	return bits
}

// agreeing counts the hardware families that agree more than they disagree.
func (r *Rules) agreeing(s *score) int {
	n := 0
	for i, f := range r.families {
		if f.Hardware && s.families[i].agree > s.families[i].disagree {
			n++
		}
	}
	return n
}

// contradicting returns the hardware families that disagree more than they agree.
func (r *Rules) contradicting(s *score) []int {
	var contradicting []int
	for i, f := range r.families {
		if f.Hardware && s.families[i].disagree > s.families[i].agree {
			contradicting = append(contradicting, i)
		}
	}
	return contradicting
}
