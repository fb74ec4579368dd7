package items

import (
	"cmp"
	"slices"
	"sync"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	hotBases      = 256 // that a collector chooses from: about 1 MB
	unmatchedSets = 64  // that wait for a second one like them
	compared      = 4   // bases that are compared id by id, after their samples were
	sampleOneIn   = 32
	smallEnough   = 48 // ids: a smaller difference is not worth a better base
	goodFit       = 4  // a difference of up to this fraction of the set is not worth a better base
	worthABase    = 4  // a base is made if it saves this fraction of what the row stores
)

// Base is a set that rows share. It never changes: a better one is a new base.
type Base struct {
	ID  int32
	IDs []inventory.ItemID

	sample []inventory.ItemID
}

// NewBase returns the base of these ids. It keeps the slice.
func NewBase(id int32, ids []inventory.ItemID) *Base {
	return &Base{ID: id, IDs: ids, sample: sampleOf(ids)}
}

// sampleOf picks about one id in sampleOneIn. An id is in the samples of all sets that hold it or
// of none, so that sets are as alike as their samples, roughly.
func sampleOf(ids []inventory.ItemID) []inventory.ItemID {
	var sample []inventory.ItemID
	for _, id := range ids {
		if uint32(id)*2654435769>>16%sampleOneIn == 0 { //nolint:gosec // a hash; 2^32 / golden ratio
			sample = append(sample, id)
		}
	}
	return sample
}

// Bases are the bases that a collector chooses from, and the sets that none of them fits. The zero
// value is ready for use, and safe for concurrent use.
type Bases struct {
	mu        sync.Mutex
	bases     []*Base     // the one used last is the last
	unmatched []unmatched // the oldest first
}

type unmatched struct {
	row Row
	set *Base // not stored: it has no ID
}

// Add offers bases, which must be stored. Where there are too many, those used least recently go.
func (b *Bases) Add(bases ...*Base) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, base := range bases {
		if !slices.ContainsFunc(b.bases, func(known *Base) bool { return known.ID == base.ID }) {
			b.bases = append(b.bases, base)
		}
	}
	if n := len(b.bases) - hotBases; n > 0 {
		b.bases = slices.Delete(b.bases, 0, n)
	}
}

// Remove takes back bases that are no longer to be chosen.
func (b *Bases) Remove(ids ...int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bases = slices.DeleteFunc(b.bases, func(base *Base) bool { return slices.Contains(ids, base.ID) })
}

// Improve returns the same set relative to the best base there is, where its own fits badly.
func (b *Bases) Improve(d Difference) Difference {
	if fits(d) {
		return d
	}
	set := d.Set()
	b.mu.Lock()
	defer b.mu.Unlock()
	if other := Encode(set, nearest(set, b.bases)); other.Size() < d.Size() {
		d = other
	}
	if i := slices.Index(b.bases, d.Base); i >= 0 {
		b.bases = append(slices.Delete(b.bases, i, i+1), d.Base)
	}
	return d
}

// Propose returns the ids of a base that should be made for a row: those that it has in common with
// another row that no base fits either. The set is expected to come from Improve. Where no such row
// is known, Propose remembers this one and returns nil. It keeps the set's slices.
//
// A base and the difference of the row that it is made for hold as many ids as that row's set. So
// all that is stored never holds more ids than the sets did, however little they have in common.
func (b *Bases) Propose(row Row, d Difference) []inventory.ItemID {
	if fits(d) {
		return nil
	}
	set := d.Set()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unmatched = slices.DeleteFunc(b.unmatched, func(u unmatched) bool { return u.row == row })
	others := make([]*Base, len(b.unmatched))
	for i, u := range b.unmatched {
		others[i] = u.set
	}
	if other := nearest(set, others); other != nil {
		shared := common(set, other.IDs)
		if rest := len(set) - len(shared); d.Size()-rest >= d.Size()/worthABase {
			b.unmatched = slices.DeleteFunc(b.unmatched, func(u unmatched) bool { return u.set == other })
			return shared
		}
	}
	if len(b.unmatched) == unmatchedSets {
		b.unmatched = slices.Delete(b.unmatched, 0, 1)
	}
	b.unmatched = append(b.unmatched, unmatched{row, NewBase(0, set)})
	return nil
}

// fits reports whether a difference is too small to gain much by another base.
func fits(d Difference) bool { return d.Size() <= max(smallEnough, d.Len()/goodFit) }

// nearest returns the base with the smallest difference from the set; nil if there is no base. It
// compares id by id only the few whose samples have the smallest difference.
func nearest(set []inventory.ItemID, bases []*Base) *Base {
	sample := sampleOf(set)
	few := smallest(bases, compared, func(base *Base) int {
		return len(base.sample) - 2*countCommon(sample, base.sample)
	})
	for _, base := range smallest(few, 1, func(base *Base) int { return len(base.IDs) - 2*countCommon(set, base.IDs) }) {
		return base
	}
	return nil
}

// smallest returns the n bases with the smallest measure, the smallest first.
func smallest(bases []*Base, n int, measure func(*Base) int) []*Base {
	type measured struct {
		base *Base
		size int
	}
	all := make([]measured, len(bases))
	for i, base := range bases {
		all[i] = measured{base, measure(base)}
	}
	slices.SortStableFunc(all, func(a, b measured) int { return cmp.Compare(a.size, b.size) })
	var list []*Base
	for _, m := range all[:min(n, len(all))] {
		list = append(list, m.base)
	}
	return list
}
