package resolve

import (
	"cmp"
	"maps"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// changeSet is what the steps of a resolution hand to each other: which records and CIs a later
// step has to look at. Its zero value is empty.
type changeSet struct {
	updated              set[int64] // records that are observed in this transaction
	fromFile             set[int64] // those of them that lists and files report
	identifiersChanged   set[int64] // records that report other identifiers than before
	valuesChanged        set[int64] // records that report other values than before; reconcile takes them
	relationshipsChanged set[int64] // records that report other relationships than before
	rejected             map[int64][]inventory.Rejection
	held                 set[int64] // agents whose claims a live agent contests

	moved            set[int64]  // records whose assignment may change; assign takes them
	touched          set[string] // CIs whose values may change; reconcile takes them
	primaryChanged   set[int64]  // records that became primary or no longer are; reconcile takes them
	noLongerObserved set[int64]  // ends of relationships that ended; reconcile takes them
	compared         set[int64]  // records whose values were compared with those of others
	conflicts        []inventory.Finding
}

// changedRecords returns the records that report anything else than before.
func (c *changeSet) changedRecords() set[int64] {
	var changed set[int64]
	for _, records := range []set[int64]{c.valuesChanged, c.identifiersChanged, c.relationshipsChanged} {
		changed.add(slices.Collect(maps.Keys(records))...)
	}
	return changed
}

// set is a set of records or CIs. Its zero value is empty.
type set[T cmp.Ordered] map[T]bool

func (s *set[T]) add(members ...T) {
	if *s == nil {
		*s = set[T]{}
	}
	for _, member := range members {
		(*s)[member] = true
	}
}

// sorted returns the members in the order in which statements lock them.
func (s set[T]) sorted() []T { return slices.Sorted(maps.Keys(s)) }

// take returns the sorted members and empties the set.
func (s set[T]) take() []T {
	members := s.sorted()
	clear(s)
	return members
}
