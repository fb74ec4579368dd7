package cmdb

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/inventory"
)

// worldSnapshot is all that is true at an instant.
type worldSnapshot struct {
	at      time.Time
	cis     map[string]map[string]any          // the values of each CI
	items   map[string]map[string]map[int]bool // by CI and section; a section that is not known is absent
	related map[worldEdge]bool
}

func (w *world) snapshot() worldSnapshot {
	snapshot := worldSnapshot{at: w.now, cis: map[string]map[string]any{}, items: map[string]map[string]map[int]bool{}, related: w.related()}
	for _, ci := range w.cis {
		if !ci.current {
			continue
		}
		snapshot.cis[ci.id] = map[string]any{"class": ci.class, "name": ci.name}
		maps.Copy(snapshot.cis[ci.id], ci.attributes)
		snapshot.items[ci.id] = map[string]map[int]bool{}
		for _, r := range w.records {
			if r.ci != ci || !r.primary {
				continue
			}
			for section, held := range r.items {
				if snapshot.items[ci.id][section] == nil {
					snapshot.items[ci.id][section] = map[int]bool{}
				}
				maps.Copy(snapshot.items[ci.id][section], held)
			}
		}
	}
	return snapshot
}

// compareSnapshots is the difference the plain way, but for the names and classes of other CIs.
func compareSnapshots(a, b worldSnapshot) map[string]inventory.CIDiff {
	diffs := map[string]inventory.CIDiff{}
	for id := range maps.Keys(union2(a.cis, b.cis)) {
		diff := inventory.CIDiff{Change: "changed"}
		before, after := a.cis[id], b.cis[id]
		if before == nil {
			diff.Change = "added"
		}
		if after == nil {
			diff.Change = "removed"
		}
		for _, name := range slices.Sorted(maps.Keys(union2(before, after))) {
			if !reflect.DeepEqual(before[name], after[name]) {
				diff.Attributes = append(diff.Attributes, inventory.ValueDiff{Attribute: name, Old: before[name], New: after[name]})
			}
		}
		if diff.Change == "changed" {
			compareItems(&diff, a.items[id], b.items[id])
		}
		diff.Relationships = append(relationsOf(id, a.related, b.related, "ended"), relationsOf(id, b.related, a.related, "began")...)
		if diff.Change != "changed" || diff.Attributes != nil || diff.Relationships != nil || diff.Items != nil {
			diffs[id] = diff
		}
	}
	return diffs
}

func union2[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return all
}

func compareItems(diff *inventory.CIDiff, before, after map[string]map[int]bool) {
	for _, section := range []string{"service", "software"} {
		if before[section] == nil || after[section] == nil {
			continue
		}
		for key := range worldKeys {
			lost, gained := difference(before[section], after[section], key), difference(after[section], before[section], key)
			changed := min(len(lost), len(gained))
			diff.ItemsChanged += changed
			diff.ItemsAdded += len(gained) - changed
			diff.ItemsRemoved += len(lost) - changed
			for i := range max(len(lost), len(gained)) {
				item := inventory.ItemDiff{Section: section}
				if i < len(lost) {
					item.Old = worldFacts(lost[i])
				}
				if i < len(gained) {
					item.New = worldFacts(gained[i])
				}
				diff.Items = append(diff.Items, item)
			}
		}
	}
}

func worldFacts(item int) inventory.Attributes {
	return inventory.Attributes{"name": "thing " + strconv.Itoa(item%worldKeys), "version": json.Number(strconv.Itoa(item))}
}

func relationsOf(id string, in, notIn map[worldEdge]bool, change string) []inventory.RelationshipDiff {
	var list []inventory.RelationshipDiff
	for edge := range in {
		switch {
		case notIn[edge]:
		case edge.From == id:
			list = append(list, inventory.RelationshipDiff{
				Change: change, Type: edge.Type, Direction: "out", Verb: worldVerbs[edge.Type][0], Other: inventory.CIRef{ID: edge.To},
			})
		case edge.To == id:
			list = append(list, inventory.RelationshipDiff{
				Change: change, Type: edge.Type, Direction: "in", Verb: worldVerbs[edge.Type][1], Other: inventory.CIRef{ID: edge.From},
			})
		}
	}
	return list
}

// worldVerbs are the verbs of the relationships that worlds are made of, in both directions.
var worldVerbs = map[string][2]string{
	"contains":     {"contains", "is contained in"},
	"depends_on":   {"depends on", "is needed by"},
	"connected_to": {"is connected to", "has connected"},
}

// TestDiff: the difference of two instants is that of what was true at them, however much happened
// in between.
func TestDiff(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(t), rand.New(rand.NewPCG(seed, 2))
			var past []worldSnapshot
			for range 120 {
				w.play(r)
				past = append(past, w.snapshot())
			}
			for range 30 {
				i, j := r.IntN(len(past)), r.IntN(len(past))
				w.checkDiff(past[min(i, j)], past[max(i, j)])
			}
		})
	}
}

func (w *world) checkDiff(a, b worldSnapshot) {
	w.t.Helper()
	query := inventory.BaselineDiff{From: a.at, To: b.at, ChangedItems: true}
	got := map[string]inventory.CIDiff{}
	sum := inventory.DiffSummary{From: a.at, To: b.at}
	last := ""
	err := w.s.Diff(w.t.Context(), query, func(d inventory.CIDiff, at inventory.Position) error {
		if at[0] <= last {
			w.t.Errorf("%s comes after %s", at[0], last)
		}
		last = at[0]
		for i := range d.Relationships {
			d.Relationships[i].Other.Class, d.Relationships[i].Other.Name = "", ""
		}
		got[d.CI.ID] = d
		switch d.Change {
		case "added":
			sum.Added++
		case "removed":
			sum.Removed++
		default:
			sum.Changed++
		}
		sum.ItemsAdded, sum.ItemsRemoved, sum.ItemsChanged = sum.ItemsAdded+d.ItemsAdded, sum.ItemsRemoved+d.ItemsRemoved, sum.ItemsChanged+d.ItemsChanged
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(compareSnapshots(a, b), got, cmpopts.IgnoreFields(inventory.CIDiff{}, "CI"),
		cmpopts.SortSlices(func(x, y inventory.RelationshipDiff) bool {
			return x.Type+x.Other.ID+x.Change+x.Direction < y.Type+y.Other.ID+y.Change+y.Direction
		})); diff != "" {
		w.t.Fatalf("from %v to %v (-want +got):\n%s", a.at, b.at, diff)
	}
	summary, err := w.s.DiffSummary(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(sum, summary); diff != "" {
		w.t.Errorf("summary (-want +got):\n%s", diff)
	}
}

// TestDiffPages: a difference of a class goes on where its last page ended.
func TestDiffPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		w.newRecord([]string{"computer", "laptop", "monitor"}[i%3], strconv.Itoa(i))
	}
	list := func(page inventory.Page) (ids []string, last inventory.Position) {
		query := inventory.BaselineDiff{Page: page, From: worldStart.Add(-time.Hour), Class: "computer"}
		err := w.s.Diff(t.Context(), query, func(d inventory.CIDiff, at inventory.Position) error {
			ids, last = append(ids, d.CI.ID), at
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return ids, last
	}
	whole, _ := list(inventory.Page{})
	if len(whole) != 4 {
		t.Fatalf("%d computers were added, want 4", len(whole))
	}
	first, last := list(inventory.Page{Limit: 3})
	rest, _ := list(inventory.Page{Limit: 3, After: last})
	if diff := cmp.Diff(whole, slices.Concat(first, rest)); diff != "" {
		t.Errorf("in pages (-want +got):\n%s", diff)
	}
}
