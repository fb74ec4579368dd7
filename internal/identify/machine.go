package identify

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// Machine is what a record reports now.
type Machine struct {
	Record      int64
	Identifiers []inventory.Identifier
}

// SameDevice returns the index of the first machine whose hardware does not contradict what a
// source reports; if each of them contradicts, it returns their number.
func (r *Rules) SameDevice(machines []Machine, ids inventory.RawIdentifiers) int {
	identifiers, _ := r.Normalize(ids)
	reported := r.reporting(identifiers)
	for i, m := range machines {
		s := r.compare(r.reporting(m.Identifiers), reported, nil, time.Time{})
		if len(r.contradicting(&s)) < r.Thresholds.Families || r.hardwareNet(&s) >= 0 {
			return i
		}
	}
	return len(machines)
}

// reporting returns a node that reports identifiers, without a time.
func (r *Rules) reporting(identifiers []inventory.Identifier) *node {
	n := &node{}
	for _, identifier := range identifiers {
		if k := kindOf(identifier); k >= 0 {
			n.intervals = append(n.intervals, interval{identifier: identifier, kind: k, current: true})
		}
	}
	n.index()
	n.intervals = join(n.intervals)
	n.index()
	return n
}
