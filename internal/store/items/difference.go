package items

import (
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// A record's items are stored in a few rows, each the difference of a set from a base: an immutable
// set that similar rows share. All sets here are sorted by id and hold each id once.

// Row names one row of a record's items.
type Row struct {
	Record  int64
	Section int16 // 0: the sections without a row of their own, together
}

// ownRow is the number of items from which on a section has a row of its own. Below, a row costs
// more than its items.
const ownRow = 33

// NeedsOwnRow reports whether a section of so many items is to be moved out of the common row. A
// section that has a row of its own keeps it, so that none moves to and fro.
func NeedsOwnRow(items int) bool { return items >= ownRow }

// Difference is a set relative to a base: the ids of the base without Minus, and Plus.
type Difference struct {
	Base        *Base // nil: Plus is the whole set
	Plus, Minus []inventory.ItemID
}

// Encode returns a set as its difference from a base. A base that is no help is not used, so that
// the difference never holds more ids than the set.
func Encode(set []inventory.ItemID, base *Base) Difference {
	if base == nil {
		return Difference{Plus: set}
	}
	d := Difference{Base: base, Plus: except(set, base.IDs), Minus: except(base.IDs, set)}
	if d.Size() >= len(set) {
		return Difference{Plus: set}
	}
	return d
}

// Size is how many ids the difference stores.
func (d Difference) Size() int { return len(d.Plus) + len(d.Minus) }

// Set returns the whole set.
func (d Difference) Set() []inventory.ItemID {
	if d.Base == nil {
		return d.Plus
	}
	return union(except(d.Base.IDs, d.Minus), d.Plus)
}

// Holds reports whether the set has an id.
func (d Difference) Holds(id inventory.ItemID) bool {
	if has(d.Plus, id) {
		return true
	}
	return d.Base != nil && has(d.Base.IDs, id) && !has(d.Minus, id)
}

// Change returns the difference of the changed set from the same base. The set gains what it does
// not hold and loses what it holds.
func (d Difference) Change(gained, lost []inventory.ItemID) Difference {
	if d.Base == nil {
		return Difference{Plus: union(except(d.Plus, lost), gained)}
	}
	lostOfBase, gainedOfBase := common(lost, d.Base.IDs), common(gained, d.Base.IDs)
	return Difference{
		Base:  d.Base,
		Plus:  union(except(d.Plus, lost), except(gained, d.Base.IDs)),
		Minus: union(except(d.Minus, gainedOfBase), lostOfBase),
	}
}

// Len is how many ids the set holds.
func (d Difference) Len() int {
	if d.Base == nil {
		return len(d.Plus)
	}
	return len(d.Base.IDs) - len(d.Minus) + len(d.Plus)
}

func has(set []inventory.ItemID, id inventory.ItemID) bool {
	_, found := slices.BinarySearch(set, id)
	return found
}

// except returns the ids of a that b does not hold.
func except(a, b []inventory.ItemID) []inventory.ItemID {
	var rest []inventory.ItemID
	for _, id := range a {
		for len(b) > 0 && b[0] < id {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != id {
			rest = append(rest, id)
		}
	}
	return rest
}

// common returns the ids that both sets hold.
func common(a, b []inventory.ItemID) []inventory.ItemID {
	var both []inventory.ItemID
	for _, id := range a {
		for len(b) > 0 && b[0] < id {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == id {
			both = append(both, id)
		}
	}
	return both
}

// countCommon is the length of common, which it does not build: choosing a base only needs the
// number.
func countCommon(a, b []inventory.ItemID) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n, a, b = n+1, a[1:], b[1:]
		}
	}
	return n
}

// union returns the ids that at least one of the sets holds.
func union(a, b []inventory.ItemID) []inventory.ItemID {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
