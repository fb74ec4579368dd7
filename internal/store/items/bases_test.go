package items

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
)

func ids(n ...inventory.ItemID) []inventory.ItemID { return n }

// span returns the ids from first to last.
func span(first, last inventory.ItemID) []inventory.ItemID {
	var all []inventory.ItemID
	for id := first; id <= last; id++ {
		all = append(all, id)
	}
	return all
}

// sets draws sets of ids of which many are the same.
func sets() *rapid.Generator[[]inventory.ItemID] {
	return rapid.Custom(func(t *rapid.T) []inventory.ItemID {
		drawn := rapid.SliceOfDistinct(rapid.Int32Range(1, 60), rapid.ID[int32]).Draw(t, "ids")
		set := make([]inventory.ItemID, len(drawn))
		for i, id := range drawn {
			set[i] = inventory.ItemID(id)
		}
		slices.Sort(set)
		return set
	})
}

// equal compares sets: an empty one may be nil.
func equal(t interface{ Fatalf(string, ...any) }, got, want []inventory.ItemID) {
	if !slices.Equal(got, want) {
		t.Fatalf("set (-want +got)\n%s", cmp.Diff(want, got))
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	base := NewBase(1, span(1, 10))
	d := Encode(ids(1, 2, 3, 4, 5, 6, 8, 9, 10, 12), base)
	if d.Base != base {
		t.Fatal("the base is not used")
	}
	equal(t, d.Plus, ids(12))
	equal(t, d.Minus, ids(7))
}

func TestUnlikeBaseIsNotUsed(t *testing.T) {
	t.Parallel()
	set := ids(1, 2, 20, 21)
	if d := Encode(set, NewBase(1, span(1, 10))); d.Base != nil || d.Size() != len(set) {
		t.Errorf("got %+v, want the set without a base", d)
	}
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set, base := sets().Draw(t, "set"), NewBase(1, sets().Draw(t, "base"))
		d := Encode(set, base)
		equal(t, d.Set(), set)
		if d.Len() != len(set) {
			t.Fatalf("length is %d, want %d", d.Len(), len(set))
		}
		if d.Size() > len(set) {
			t.Fatalf("%d ids are stored of a set of %d", d.Size(), len(set))
		}
		for id := inventory.ItemID(0); id <= 61; id++ {
			if want := slices.Contains(set, id); d.Holds(id) != want {
				t.Fatalf("holds %d: got %v, want %v", id, d.Holds(id), want)
			}
		}
	})
}

func TestChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := sets().Draw(t, "before"), sets().Draw(t, "after")
		d := Encode(before, NewBase(1, sets().Draw(t, "base")))
		gained, lost := except(after, before), except(before, after)
		changed := d.Change(gained, lost)
		equal(t, changed.Set(), after)
		equal(t, d.Set(), before) // no slice is shared and changed
		if changed.Size() > d.Size()+len(gained)+len(lost) {
			t.Fatalf("%d changes made %d ids of %d", len(gained)+len(lost), changed.Size(), d.Size())
		}
		if d.Base != nil {
			equal(t, changed.Plus, except(after, d.Base.IDs))
			equal(t, changed.Minus, except(d.Base.IDs, after))
		}
	})
}

// chooser stores sets as a collector does, and keeps what is stored.
type chooser struct {
	bases Bases
	made  []*Base
	rows  map[Row]Difference
}

func (c *chooser) store(row Row, d Difference) {
	d = c.bases.Improve(d)
	if shared := c.bases.Propose(row, d); shared != nil {
		base := NewBase(int32(len(c.made)+1), shared) //nolint:gosec // few
		c.made = append(c.made, base)
		c.bases.Add(base)
		d = Encode(d.Set(), base)
	}
	if c.rows == nil {
		c.rows = map[Row]Difference{}
	}
	c.rows[row] = d
}

func (c *chooser) stored() int {
	n := 0
	for _, base := range c.made {
		n += len(base.IDs)
	}
	for d := range maps.Values(c.rows) {
		n += d.Size()
	}
	return n
}

func TestSecondRecordOfAKindMakesTheBase(t *testing.T) {
	t.Parallel()
	var c chooser
	image := span(1, 1000)
	for record := range int64(20) {
		own := inventory.ItemID(2000 + 10*record)
		c.store(Row{Record: record}, Difference{Plus: slices.Concat(image, span(own, own+9))})
	}
	if len(c.made) != 1 {
		t.Fatalf("%d bases were made, want 1", len(c.made))
	}
	equal(t, c.made[0].IDs, image)
	equal(t, c.rows[Row{}].Plus, slices.Concat(image, span(2000, 2009))) // until it changes
	for record := int64(1); record < 20; record++ {
		if d := c.rows[Row{Record: record}]; d.Size() != 10 {
			t.Errorf("%d ids are stored of record %d, want 10", d.Size(), record)
		}
	}
}

func TestChangedRecordMovesToABaseThatFits(t *testing.T) {
	t.Parallel()
	var c chooser
	c.store(Row{Record: 1}, Difference{Plus: span(1, 1000)})
	c.store(Row{Record: 2}, Difference{Plus: span(1, 1000)})
	c.store(Row{Record: 1}, c.rows[Row{Record: 1}].Change(ids(5000), ids(1)))
	d := c.rows[Row{Record: 1}]
	if d.Base == nil {
		t.Fatal("the record has no base")
	}
	equal(t, d.Plus, ids(5000))
	equal(t, d.Minus, ids(1))
}

func TestRecordMakesNoBaseWithItself(t *testing.T) {
	t.Parallel()
	var c chooser
	for day := range inventory.ItemID(10) {
		c.store(Row{Record: 1}, Difference{Plus: span(1+day, 1000+day)})
	}
	if len(c.made) != 0 {
		t.Errorf("%d bases were made of one record's sets", len(c.made))
	}
}

func TestSmallSetsMakeNoBase(t *testing.T) {
	t.Parallel()
	var c chooser
	c.store(Row{Record: 1}, Difference{Plus: span(1, smallEnough)})
	c.store(Row{Record: 2}, Difference{Plus: span(1, smallEnough)})
	if len(c.made) != 0 {
		t.Errorf("%d bases were made", len(c.made))
	}
}

func TestRemovedBaseIsNotChosen(t *testing.T) {
	t.Parallel()
	var bases Bases
	bases.Add(NewBase(7, span(1, 1000)))
	bases.Remove(7)
	if d := bases.Improve(Difference{Plus: span(1, 1000)}); d.Base != nil {
		t.Errorf("base %d was chosen", d.Base.ID)
	}
}

func TestBasesAreBounded(t *testing.T) {
	t.Parallel()
	var bases Bases
	for id := range int32(hotBases) {
		first := inventory.ItemID(1000*id + 1)
		bases.Add(NewBase(id, span(first, first+99)))
	}
	bases.Improve(Difference{Plus: span(1, 100)}) // uses the oldest
	bases.Add(NewBase(hotBases, span(1_000_000, 1_000_099)))
	if len(bases.bases) != hotBases {
		t.Fatalf("%d bases are kept, want %d", len(bases.bases), hotBases)
	}
	kept := map[int32]bool{}
	for _, base := range bases.bases {
		kept[base.ID] = true
	}
	if !kept[0] || kept[1] || !kept[hotBases] {
		t.Errorf("kept 0: %v, 1: %v, the newest: %v; want all but 1", kept[0], kept[1], kept[hotBases])
	}
}

// TestNeverMoreThanTheSets stores records of fleets of any likeness: what is stored, the bases with
// it, never exceeds what the sets alone would take.
func TestNeverMoreThanTheSets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var c chooser
		images := rapid.IntRange(1, 4).Draw(t, "images")
		plain := 0
		for record := range rapid.IntRange(1, 40).Draw(t, "records") {
			image := inventory.ItemID(1000 * rapid.IntRange(1, images).Draw(t, "image")) //nolint:gosec // few
			first := image + inventory.ItemID(rapid.Int32Range(0, 100).Draw(t, "lag"))
			own := inventory.ItemID(1_000_000 + 1000*record) //nolint:gosec // few
			set := slices.Concat(span(first, first+inventory.ItemID(rapid.Int32Range(0, 300).Draw(t, "image size"))),
				span(own, own+inventory.ItemID(rapid.Int32Range(0, 300).Draw(t, "own"))))
			c.store(Row{Record: int64(record)}, Difference{Plus: set})
			equal(t, c.rows[Row{Record: int64(record)}].Set(), set)
			plain += len(set)
		}
		if c.stored() > plain {
			t.Fatalf("%d ids are stored for sets of %d", c.stored(), plain)
		}
	})
}
