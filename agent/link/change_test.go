package link

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// softwareOf draws a section with a few of a few packages, so that two sections overlap.
func softwareOf(t *rapid.T, label string) Section {
	drawn := rapid.MapOf(rapid.IntRange(0, 30), rapid.IntRange(1, 3)).Draw(t, label)
	var items []proto.Message
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		items = append(items, &inventoryv1.Software{
			Source: "dpkg", Name: fmt.Sprint(name), Version: fmt.Sprint(drawn[name]), InstallLocation: "/usr",
		})
	}
	return NewSection("software", inventory.StatusOK, "", 0, items)
}

func factsOf(set wire.Set) [][]byte {
	var facts [][]byte
	for _, item := range set.Items() {
		facts = append(facts, item.Facts)
	}
	return facts
}

func TestBaseAndDeltaMakeTheNewSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := softwareOf(t, "before"), softwareOf(t, "after")
		added, removed, kept := difference(after.Set, factsOf(before.Set))

		root, facts := before.Root, map[string]bool{}
		for _, f := range factsOf(before.Set) {
			facts[string(f)] = true
		}
		for _, f := range removed {
			if !facts[string(f)] {
				t.Fatalf("removes %x, which is not in the base", f)
			}
			root = wire.HashOf(f).RemoveFrom(root)
			delete(facts, string(f))
		}
		for _, item := range kept {
			if !facts[string(item.Facts)] {
				t.Fatalf("keeps %x, which is not left", item.Facts)
			}
		}
		for _, item := range added {
			if facts[string(item.Facts)] {
				t.Fatalf("adds %x, which is in the base", item.Facts)
			}
			root = item.Hash.AddTo(root)
			facts[string(item.Facts)] = true
		}
		if root != after.Root || len(facts) != len(after.Set.Items()) || len(kept)+len(added) != len(facts) {
			t.Fatalf("base and delta are %d items with root %x, want %d with %x", len(facts), root, len(after.Set.Items()), after.Root)
		}
	})
}

// drawnChange draws a change of any size, small or larger than a chunk.
func drawnChange(t *rapid.T) change {
	size := rapid.SampledFrom([]int{0, 1, 100, 60_000, maxItem})
	c := change{section: "software"}
	for i := range rapid.IntRange(0, 12).Draw(t, "added") {
		facts := bytes.Repeat([]byte{byte(i)}, size.Draw(t, "facts"))
		c.added = append(c.added, wire.Encoded{Facts: facts, Readings: make([]byte, size.Draw(t, "readings")/2)})
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "removed") {
		c.removed = append(c.removed, bytes.Repeat([]byte{byte(i)}, size.Draw(t, "gone")))
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "unchanged") {
		c.readings = append(c.readings, wire.Encoded{KeyHash: int64(i), Readings: make([]byte, size.Draw(t, "reading"))})
	}
	return c
}

func TestChunksLoseNothingAndStaySmall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawnChange(t)
		got := &inventoryv1.Items{}
		ends := 0
		for items, last := range c.chunks() {
			if ends > 0 {
				t.Fatal("something comes after the last chunk")
			}
			if last {
				ends++
			}
			if size := proto.Size(items); size > maxPayload {
				t.Fatalf("a payload of %d bytes, want at most %d", size, maxPayload)
			}
			proto.Merge(got, items)
		}
		if ends != 1 || len(got.GetAdded()) != len(c.added) || len(got.GetRemoved()) != len(c.removed) || len(got.GetReadings()) != len(c.readings) {
			t.Fatalf("%d added, %d removed, %d readings and %d ends arrived of %d, %d, %d and 1", len(got.GetAdded()), len(got.GetRemoved()),
				len(got.GetReadings()), ends, len(c.added), len(c.removed), len(c.readings))
		}
		for i, item := range got.GetAdded() {
			if !bytes.Equal(item.GetFacts(), c.added[i].Facts) || !bytes.Equal(item.GetReadings(), c.added[i].Readings) {
				t.Fatalf("item %d is another one", i)
			}
		}
	})
}

func TestAnswerSendsEachSectionOnceAndNothingUncollected(t *testing.T) {
	t.Parallel()
	ok := NewSection("software", inventory.StatusOK, "", 0, []proto.Message{&inventoryv1.Software{Name: "bash", InstallLocation: "/usr"}})
	denied := NewSection("service", inventory.StatusDenied, "no", 0, nil)
	quiet := NewSection("system", inventory.StatusOK, "", 0, []proto.Message{&inventoryv1.System{Manufacturer: "ACME"}})
	inv := Inventory{Sections: []Section{ok, denied, quiet}}
	known := func(string, inventory.Root) ([][]byte, bool) { return [][]byte{[]byte("old")}, true }
	want := func(readings bool, sections ...string) *inventoryv1.Want {
		w := &inventoryv1.Want{Readings: readings}
		for _, s := range sections {
			w.Sections = append(w.Sections, &inventoryv1.WantSection{Section: s, BaseRoot: make([]byte, 32)})
		}
		return w
	}
	cases := map[string]struct {
		want *inventoryv1.Want
		sent []string
	}{
		"nothing":              {want(false), nil},
		"one section":          {want(false, "software"), []string{"software"}},
		"the same many times":  {want(false, "software", "software", "software"), []string{"software"}},
		"not collected":        {want(false, "service"), nil},
		"not known here":       {want(false, "horoscope"), nil},
		"readings":             {want(true), []string{"software readings"}},
		"a section and others": {want(true, "system"), []string{"software readings", "system"}},
		"a cut-off base":       {&inventoryv1.Want{Sections: []*inventoryv1.WantSection{{Section: "system", BaseRoot: []byte{1}}}}, []string{"system whole"}},
	}
	for name, c := range cases {
		var sent []string
		for _, change := range answer(c.want, inv, known) {
			text := change.section
			switch {
			case change.readingsOnly:
				text += " readings"
			case change.base == nil:
				text += " whole"
			}
			sent = append(sent, text)
		}
		if diff := cmp.Diff(c.sent, sent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func BenchmarkSendWhole(b *testing.B) {
	var items []proto.Message
	for i := range 1000 {
		items = append(items, &inventoryv1.Software{
			Source: "dpkg", Name: fmt.Sprintf("package-%d", i), Version: fmt.Sprintf("%d.%d-1", i%7, i%13), Arch: "amd64",
			Publisher: "Some Maintainers <maintainers@example.org>", Purl: fmt.Sprintf("pkg:deb/debian/package-%d@%d.%d-1?arch=amd64", i, i%7, i%13),
		})
	}
	section := NewSection("software", inventory.StatusOK, "", 0, items)
	b.ReportAllocs()
	for b.Loop() {
		packer, err := newPacker()
		if err != nil {
			b.Fatal(err)
		}
		whole := section.changeFrom(nil, false, nil)
		size := 0
		for items, last := range whole.chunks() {
			update, err := whole.update(items, last, packer)
			if err != nil {
				b.Fatal(err)
			}
			size += len(update.GetItems())
		}
		b.ReportMetric(float64(size), "wire-bytes")
	}
}
