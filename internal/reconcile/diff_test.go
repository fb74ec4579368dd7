package reconcile_test

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// key returns every id a key, so that several ids share one: versions of one package.
func key(id inventory.ItemID) int64 { return int64(id % 7) }

func ref(id inventory.ItemID) inventory.Ref { return inventory.Ref{ID: id, KeyHash: key(id)} }

func refs(ids []inventory.ItemID) []inventory.Ref {
	list := make([]inventory.Ref, len(ids))
	for i, id := range ids {
		list[i] = ref(id)
	}
	return list
}

func sets() *rapid.Generator[[]inventory.ItemID] {
	return rapid.Custom(func(t *rapid.T) []inventory.ItemID {
		ids := rapid.SliceOfDistinct(rapid.Int32Range(1, 60), rapid.ID).Draw(t, "ids")
		slices.Sort(ids)
		set := make([]inventory.ItemID, len(ids))
		for i, id := range ids {
			set[i] = inventory.ItemID(id)
		}
		return set
	})
}

// apply returns the set after a diff.
func apply(set []inventory.ItemID, d reconcile.Diff) []inventory.ItemID {
	after := map[inventory.ItemID]bool{}
	for _, id := range set {
		after[id] = true
	}
	for _, r := range d.Lost {
		delete(after, r.ID)
	}
	for _, r := range d.Gained {
		after[r.ID] = true
	}
	return slices.Sorted(maps.Keys(after))
}

func full(current, sent []inventory.ItemID, complete bool) reconcile.Diff {
	absent := reconcile.Absent(current, refs(sent))
	return reconcile.Full(current, refs(sent), refs(absent), complete)
}

func TestCompleteSectionIsWhatItSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		current, sent := sets().Draw(t, "current"), sets().Draw(t, "sent")
		d := full(current, sent, true)
		if diff := gocmp.Diff(slices.Sorted(slices.Values(sent)), apply(current, d)); diff != "" {
			t.Fatalf("set (-want +got):\n%s", diff)
		}
		if len(d.Kept) != 0 {
			t.Fatalf("kept %v of a complete section", d.Kept)
		}
	})
}

func TestPartialSectionRemovesOnlyWhatItReplaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		current, sent := sets().Draw(t, "current"), sets().Draw(t, "sent")
		d := full(current, sent, false)
		named := map[int64]bool{}
		for _, id := range sent {
			named[key(id)] = true
		}
		for _, lost := range d.Lost {
			if !named[lost.KeyHash] {
				t.Fatalf("%v was removed, and nothing of its key was seen", lost)
			}
		}
		after := apply(current, d)
		for _, id := range sent {
			if !slices.Contains(after, id) {
				t.Fatalf("%d was seen and is not held", id)
			}
		}
		if len(after) != len(sent)+len(d.Kept) {
			t.Fatalf("%d held, want the %d seen and the %d kept", len(after), len(sent), len(d.Kept))
		}
	})
}

func TestDeltaIsTheFullSectionSaidShorter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := sets().Draw(t, "before"), sets().Draw(t, "after")
		want := full(before, after, true)
		held := func(r inventory.Ref) bool { return slices.Contains(before, r.ID) }
		got, err := reconcile.Delta(want.Gained, want.Lost, held)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(apply(before, want), apply(before, got)); diff != "" {
			t.Fatalf("set (-want +got):\n%s", diff)
		}
		// Said twice, it changes nothing more.
		again, err := reconcile.Delta(want.Gained, nil, func(r inventory.Ref) bool { return slices.Contains(after, r.ID) })
		if err != nil || len(again.Gained) != 0 {
			t.Fatalf("said twice: %v, %v", again, err)
		}
	})
}

func TestDeltaOfSomethingElse(t *testing.T) {
	t.Parallel()
	_, err := reconcile.Delta(nil, refs([]inventory.ItemID{3}), func(inventory.Ref) bool { return false })
	if !errors.Is(err, reconcile.ErrNotHeld) {
		t.Errorf("got %v, want ErrNotHeld", err)
	}
}

// TestEvents holds the pairing to its promises: every item once, pairs only within a key, and as many pairs as
// there can be.
func TestEvents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := full(sets().Draw(t, "before"), sets().Draw(t, "after"), true)
		events := reconcile.Events(d)
		var old, fresh []inventory.ItemID
		pairs := 0
		for _, e := range events {
			if e.Old != 0 {
				old = append(old, e.Old)
			}
			if e.New != 0 {
				fresh = append(fresh, e.New)
			}
			if e.Old != 0 && e.New != 0 {
				pairs++
				if key(e.Old) != key(e.New) {
					t.Fatalf("%v pairs two keys", e)
				}
			}
		}
		if diff := gocmp.Diff(ids(d.Lost), sorted(old)); diff != "" {
			t.Fatalf("lost (-want +got):\n%s", diff)
		}
		if diff := gocmp.Diff(ids(d.Gained), sorted(fresh)); diff != "" {
			t.Fatalf("gained (-want +got):\n%s", diff)
		}
		if want := possiblePairs(d); pairs != want {
			t.Fatalf("%d changes of one key, want %d", pairs, want)
		}
	})
}

func possiblePairs(d reconcile.Diff) int {
	lost := map[int64]int{}
	for _, r := range d.Lost {
		lost[r.KeyHash]++
	}
	n := 0
	for _, r := range d.Gained {
		if lost[r.KeyHash] > 0 {
			lost[r.KeyHash]--
			n++
		}
	}
	return n
}

func ids(refs []inventory.Ref) []inventory.ItemID {
	var list []inventory.ItemID
	for _, r := range refs {
		list = append(list, r.ID)
	}
	return sorted(list)
}

func sorted(ids []inventory.ItemID) []inventory.ItemID {
	slices.SortFunc(ids, cmp.Compare[inventory.ItemID])
	return ids
}
