package items

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
)

// storedSets is a record's rows and what they should hold.
type storedSets struct {
	sections *sectionIDs
	rows     map[int16]Difference
	want     map[int16]map[inventory.ItemID]bool
}

// sectionOf returns the section of an item, by which the items of the common row are separated.
func sectionOf(id inventory.ItemID) int16 { return int16(1 + id%3) }

// holding returns what the store would read: sections in whole, too.
func (s *storedSets) holding() *Holding {
	h := &Holding{sections: s.sections, rows: s.rows, common: map[int16][]inventory.ItemID{}}
	for section := range s.want {
		if _, own := s.rows[section]; !own {
			h.common[section] = nil
		}
	}
	for _, id := range s.rows[commonSection].Set() {
		h.common[sectionOf(id)] = append(h.common[sectionOf(id)], id)
	}
	return h
}

// change returns the change of a section to another set.
func (s *storedSets) change(section int16, now map[inventory.ItemID]bool) inventory.SectionChange {
	before, known := s.want[section]
	c := inventory.SectionChange{State: inventory.SectionState{Section: s.sections.names[section]}, First: !known}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if !before[id] {
			c.Gained = append(c.Gained, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if !now[id] {
			c.Lost = append(c.Lost, id)
		}
	}
	s.want[section] = now
	return c
}

// TestRowsHoldWhatSectionsDo: whatever sections gain and lose, the rows hold it, and a large
// section has a row of its own from then on.
func TestRowsHoldWhatSectionsDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &storedSets{sections: newSectionIDs(), rows: map[int16]Difference{}, want: map[int16]map[inventory.ItemID]bool{}}
		for section, name := range map[int16]string{1: "software", 2: "service", 3: "volume"} {
			s.sections.ids[name], s.sections.names[section] = section, name
		}
		base := NewBase(1, []inventory.ItemID{3, 4, 5, 9, 12, 15, 21})
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			h := s.holding()
			var changes []inventory.SectionChange
			for section := int16(1); section <= 3; section++ {
				if !rapid.Bool().Draw(t, "changes") {
					continue
				}
				now := map[inventory.ItemID]bool{}
				for range rapid.SampledFrom([]int{0, 3, 30, 60}).Draw(t, "items") {
					now[inventory.ItemID(3*rapid.IntRange(1, 60).Draw(t, "item"))+inventory.ItemID(section-1)] = true
				}
				changes = append(changes, s.change(section, now))
			}
			rows := maps.Clone(s.rows)
			for section, d := range h.changedRows(s.sections, changes) {
				rows[section] = Encode(d.Set(), base)
			}
			s.check(t, rows)
			s.rows = rows
		}
	})
}

func (s *storedSets) check(t *rapid.T, rows map[int16]Difference) {
	h := (&storedSets{sections: s.sections, rows: rows, want: s.want}).holding()
	for section, want := range s.want {
		name := s.sections.names[section]
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), h.Items(name), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", name, diff)
		}
		for id := range want {
			if !h.Holds(name, id) {
				t.Fatalf("%s does not hold %d", name, id)
			}
		}
		_, own := rows[section]
		if _, was := s.rows[section]; was && !own || NeedsOwnRow(len(want)) && !own {
			t.Fatalf("%s of %d items has no row of its own", name, len(want))
		}
	}
}

// TestNilHolding: a record without items holds nothing, and its first sections share a row.
func TestNilHolding(t *testing.T) {
	t.Parallel()
	sections := newSectionIDs()
	sections.ids["software"], sections.ids["service"] = 1, 2
	var h *Holding
	if h.Holds("software", 1) || h.Items("software") != nil {
		t.Error("a nil holding holds items")
	}
	rows := h.changedRows(sections, []inventory.SectionChange{
		{State: inventory.SectionState{Section: "software"}, First: true, Gained: []inventory.ItemID{1, 5}},
		{State: inventory.SectionState{Section: "service"}, First: true, Gained: []inventory.ItemID{2}},
	})
	want := map[int16]Difference{commonSection: {Plus: []inventory.ItemID{1, 2, 5}}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
