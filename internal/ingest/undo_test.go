package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
)

// view is all that the API returns of a CI and that a merge could change.
type view struct {
	Details       inventory.CIDetails
	Relationships []inventory.Relationship
	Records       []inventory.IdentityRecord
	Software      []string
}

func (e *fixture) view(t testing.TB, ci string, at time.Time) view {
	t.Helper()
	v := view{Details: settled(e.ci(t, ci, at))}
	q := inventory.RelationshipQuery{CI: ci, Page: inventory.Page{AsOf: at}}
	err := e.ListRelationships(t.Context(), q, func(r inventory.Relationship, _ inventory.Position) error {
		v.Relationships = append(v.Relationships, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	identity, err := e.Identity(t.Context(), ci, at)
	if err != nil {
		t.Fatal(err)
	}
	v.Records = identity.Records
	for i := range v.Records {
		v.Records[i].LastSeen = nil
	}
	err = e.ListDeviceItems(t.Context(), inventory.ItemQuery{Device: ci, Section: "software", Page: inventory.Page{AsOf: at}},
		func(item inventory.HeldItem, _ inventory.Position) error {
			v.Software = append(v.Software, string(item.Facts))
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestUndoRestoresExactly merges machines of any kind in any order, and takes the merges back, the
// last one first: after each undo everything is as it was before that merge, now and for every
// instant that was asked about before.
func TestUndoRestoresExactly(t *testing.T) {
	t.Parallel()
	const worlds = 12 // each takes some twenty transactions: rapid's own number would take minutes
	e := newFixture(t)
	next, world := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		if world++; world > worlds {
			return
		}
		var cis []string
		for range rapid.IntRange(2, 4).Draw(rt, "machines") {
			next++
			h := laptop(next)
			for n := range rapid.IntRange(0, 2).Draw(rt, "monitors") {
				h.displays = append(h.displays, display(fmt.Sprintf("CN%d%d", next, n)))
			}
			if rapid.Bool().Draw(rt, "more software") {
				h.software = append(h.software, pkg("emacs", fmt.Sprint(next)))
			}
			_, ci := e.agent(t, h)
			if rapid.Bool().Draw(rt, "declared") {
				declare(t, e, ci, map[string]any{"owner": fmt.Sprintf("owner %d", next), "cost": fmt.Sprint(next)})
			}
			cis = append(cis, ci)
		}
		e.mergeAndUndo(t, rt, cis)
	})
}

// mergeAndUndo merges the first of the CIs with another one, goes on with those that are left, and
// undoes the merge.
func (e *fixture) mergeAndUndo(t *testing.T, rt *rapid.T, cis []string) {
	t.Helper()
	if len(cis) < 2 {
		return
	}
	i := rapid.IntRange(1, len(cis)-1).Draw(rt, "with")
	before, then := e.views(t, cis, time.Time{}), e.now(t)
	merged, err := e.MergeCIs(t.Context(), []string{cis[0], cis[i]}, auditor)
	if err != nil {
		rt.Fatal(err)
	}
	left := append([]string{merged}, cis[1:i]...)
	left = append(left, cis[i+1:]...)
	while := e.now(t)
	together := e.views(t, left, while)
	identity, err := e.Identity(t.Context(), merged, time.Time{})
	if err != nil {
		rt.Fatal(err)
	}
	decision := identity.Decisions[0].ID

	e.mergeAndUndo(t, rt, left)

	if err := e.UndoDecision(t.Context(), decision, auditor); err != nil {
		rt.Fatalf("undo: %v", err)
	}
	for at, want := range map[time.Time][]view{{}: before, then: before} {
		if diff := cmp.Diff(want, e.views(t, cis, at)); diff != "" {
			rt.Fatalf("as of %v (-before +after):\n%s", at, diff)
		}
	}
	if diff := cmp.Diff(together, e.views(t, left, while)); diff != "" {
		rt.Fatalf("what was told of the merged time (-then +now):\n%s", diff)
	}
}

func (e *fixture) views(t *testing.T, cis []string, at time.Time) []view {
	t.Helper()
	var views []view
	for _, ci := range cis {
		views = append(views, e.view(t, ci, at))
	}
	return views
}

// TestSplitComesBack: a split that is undone leaves everything as it was, also what lists say.
func TestSplitComesBack(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m, ci := e.agent(t, laptop(1))
	declare(t, e, ci, map[string]any{"asset_tag": "A-1"})
	for _, name := range []string{"desks", "racks"} {
		e.load(t, "csv", "Tag;Owner;Office\nA-1;Ada "+name+";"+name+"\n", inventory.ImportOptions{Name: name, Mapping: []byte(
			`{"match": "asset_tag", "columns": {"Tag": "asset_tag", "Owner": "owner"}, "relationships": {"Office": {"type": "located_in", "class": "location"}}}`)})
	}
	before := e.view(t, ci, time.Time{})
	if len(before.Details.Sources) != 4 || len(before.Relationships) == 0 {
		t.Fatalf("%d sources, %d relationships", len(before.Details.Sources), len(before.Relationships))
	}
	for _, source := range before.Details.Sources {
		if source.Record == m.mustRecord(t).ID {
			continue
		}
		cis := e.count(t, "")
		if err := e.SplitCI(t.Context(), ci, []int64{source.Record}, auditor); err != nil {
			t.Fatal(err)
		}
		if n := e.count(t, "") - cis; n != 1 {
			t.Errorf("%s was split off, and there are %d CIs more", source.Source, n)
		}
		identity, err := e.Identity(t.Context(), ci, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.UndoDecision(t.Context(), identity.Decisions[0].ID, auditor); err != nil {
			t.Fatalf("undo of the split of %s: %v", source.Source, err)
		}
		if diff := cmp.Diff(before, e.view(t, ci, time.Time{})); diff != "" {
			t.Errorf("after the split of %s and its undo (-before +after):\n%s", source.Source, diff)
		}
	}
}
