// Package reconcile computes what changed and which value wins: the difference between an observed
// section and the current set, the components and attributes that sections report, the evidence of
// a record over time, and the effective values of a CI with their provenance. It does no I/O and
// reads no clock. It does not decide which records are one CI; package identify does.
// Start with Effective for values, Observe for what a machine reports and precedence.json for the
// order of sources.
package reconcile

import (
	"cmp"
	"errors"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// Diff is the change that an observation makes to a section's set.
type Diff struct {
	Gained, Lost []inventory.Ref
	Kept         []inventory.Ref // absent from a partial section, and therefore not removed
}

// Absent returns the items of the current set that were not sent. current and the result are sorted
// by id, and sent must be.
func Absent(current []inventory.ItemID, sent []inventory.Ref) []inventory.ItemID {
	var absent []inventory.ItemID
	for _, id := range current {
		if !holds(sent, id) {
			absent = append(absent, id)
		}
	}
	return absent
}

func holds(refs []inventory.Ref, id inventory.ItemID) bool {
	_, found := slices.BinarySearchFunc(refs, id, func(r inventory.Ref, id inventory.ItemID) int {
		return cmp.Compare(r.ID, id)
	})
	return found
}

// Full compares a section that was sent whole with the current set. absent are the items of Absent.
// Only a complete section removes the items that it does not contain; a partial one replaces those
// for which it has a newer item.
func Full(current []inventory.ItemID, sent, absent []inventory.Ref, complete bool) Diff {
	diff := Diff{}
	for _, ref := range sent {
		if _, held := slices.BinarySearch(current, ref.ID); !held {
			diff.Gained = append(diff.Gained, ref)
		}
	}
	if complete {
		diff.Lost = absent
		return diff
	}
	keys := make(map[int64]bool, len(sent))
	for _, ref := range sent {
		keys[ref.KeyHash] = true
	}
	for _, ref := range absent {
		if keys[ref.KeyHash] {
			diff.Lost = append(diff.Lost, ref)
		} else {
			diff.Kept = append(diff.Kept, ref)
		}
	}
	return diff
}

// ErrNotHeld means that a delta removes an item that the set does not contain: it was computed
// against another set.
var ErrNotHeld = errors.New("the delta removes an item that is not held")

// Delta returns the change of a delta. held reports whether the current set contains an item. An
// item that is both added and removed stays.
func Delta(added, removed []inventory.Ref, held func(inventory.Ref) bool) (Diff, error) {
	diff := Diff{}
	stays := make(map[inventory.ItemID]bool, len(added))
	for _, ref := range added {
		stays[ref.ID] = true
	}
	for _, ref := range removed {
		switch {
		case !held(ref):
			return Diff{}, ErrNotHeld
		case !stays[ref.ID]:
			diff.Lost = append(diff.Lost, ref)
		}
	}
	for _, ref := range added {
		if !held(ref) {
			diff.Gained = append(diff.Gained, ref)
		}
	}
	return diff, nil
}

// Events pairs lost with gained items of the same key: each pair is one change, not a removal and
// an addition. The order of the items does not matter.
func Events(d Diff) []inventory.Event {
	lost, gained := sorted(d.Lost), sorted(d.Gained)
	var events []inventory.Event
	for len(lost) > 0 || len(gained) > 0 {
		switch {
		case len(gained) == 0 || len(lost) > 0 && lost[0].KeyHash < gained[0].KeyHash:
			events = append(events, inventory.Event{Old: lost[0].ID})
			lost = lost[1:]
		case len(lost) == 0 || gained[0].KeyHash < lost[0].KeyHash:
			events = append(events, inventory.Event{New: gained[0].ID})
			gained = gained[1:]
		default:
			events = append(events, inventory.Event{Old: lost[0].ID, New: gained[0].ID})
			lost, gained = lost[1:], gained[1:]
		}
	}
	return events
}

func sorted(refs []inventory.Ref) []inventory.Ref {
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b inventory.Ref) int {
		return cmp.Or(cmp.Compare(a.KeyHash, b.KeyHash), cmp.Compare(a.ID, b.ID))
	})
	return refs
}
