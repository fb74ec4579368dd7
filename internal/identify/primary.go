package identify

import (
	"cmp"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// primaries are the records whose inventory counts for their CI, with the findings of the choice.
type primaries struct {
	records  map[int64]bool
	replaced [][2]*installation // an installation that ended, and its successor
	several  [][]*installation  // the installations of one CI that are all present
}

// installation is an operating system as the records of one CI report it.
type installation struct {
	identifier inventory.Identifier // "": unknown
	records    []*node              // the best first
	first      time.Time            // when its agents were first observed
	last       time.Time            // and last
}

// primaryRecords chooses the primary records of each CI: the best record of each installation,
// unless another installation replaced it.
func (p *partitioning) primaryRecords() *primaries {
	s := &primaries{records: map[int64]bool{}}
	for _, cluster := range p.clusters {
		installations := p.installations(cluster)
		var there []*installation
		for _, in := range installations {
			if !in.best().agent() {
				continue
			}
			if next := successor(in, installations); next != nil {
				s.replaced = append(s.replaced, [2]*installation{in, next})
				continue
			}
			there = append(there, in)
		}
		if len(there) > 1 {
			s.several = append(s.several, there)
		}
		if len(there) == 0 {
			there = fromInventories(installations)
		}
		for _, in := range there {
			s.records[in.best().record] = true
		}
	}
	return s
}

func (in *installation) best() *node { return in.records[0] }

// installations returns the installations of a cluster, sorted by identifier. Records that have
// left it and sources without an inventory report none.
func (p *partitioning) installations(cluster []int) []*installation {
	byIdentifier := map[inventory.Identifier]*installation{}
	var all []*installation
	for _, i := range cluster {
		n := p.nodes[i]
		if !n.latest || n.source == "" {
			continue
		}
		identifier := n.installation()
		in := byIdentifier[identifier]
		if in == nil {
			in = &installation{identifier: identifier}
			byIdentifier[identifier] = in
			all = append(all, in)
		}
		in.add(n)
	}
	slices.SortFunc(all, func(a, b *installation) int { return cmp.Compare(a.identifier, b.identifier) })
	for _, in := range all {
		slices.SortFunc(in.records, better)
	}
	return all
}

func (in *installation) add(n *node) {
	in.records = append(in.records, n)
	if !n.agent() {
		return
	}
	earliest(&in.first, n.created)
	in.last = later(in.last, n.seen)
}

// better sorts agents before other sources, then by the latest observation.
func better(a, b *node) int {
	if a.agent() != b.agent() {
		if a.agent() {
			return -1
		}
		return 1
	}
	return cmp.Or(b.seen.Compare(a.seen), cmp.Compare(a.record, b.record))
}

// installation returns the identifier of the operating system that a node runs now.
func (n *node) installation() inventory.Identifier {
	for _, c := range n.of(kindOS) {
		if c.current {
			return c.identifier
		}
	}
	return ""
}

// successor returns the installation whose agents were first observed after those of in were last
// observed; nil: there is none. If those are observed again, both are present: two systems on one
// device.
func successor(in *installation, all []*installation) *installation {
	var next *installation
	for _, other := range all {
		if other.best().agent() && other.first.After(in.last) && (next == nil || other.first.Before(next.first)) {
			next = other
		}
	}
	return next
}

// fromInventories chooses where there is no agent, preferably installations with an identifier.
func fromInventories(all []*installation) []*installation {
	var withIdentifier, withoutIdentifier []*installation
	for _, in := range all {
		if in.best().agent() {
			continue
		}
		if in.identifier == "" {
			withoutIdentifier = append(withoutIdentifier, in)
		} else {
			withIdentifier = append(withIdentifier, in)
		}
	}
	if len(withIdentifier) > 0 {
		return withIdentifier
	}
	return withoutIdentifier
}
