package cmdb

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/inventory"
)

// feed lists the changes that a query asks for, and where it ended.
func feed(t *testing.T, s *Store, q inventory.FeedQuery) (changes []inventory.FeedChange, last inventory.Position) {
	t.Helper()
	err := s.ListChanges(t.Context(), q, func(c inventory.FeedChange, at inventory.Position) error {
		changes, last = append(changes, c), at
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changes, last
}

// asWorld says of changes what the world knows of them.
func asWorld(changes []inventory.FeedChange) []worldChange {
	var list []worldChange
	for _, c := range changes {
		w := worldChange{At: c.At, Type: c.Type, Action: c.Action, CI: c.CI.ID, Subject: c.Subject}
		if c.Type == "relationship" {
			w.New = c.Name
		}
		list = append(list, w)
	}
	return list
}

func sortWorld(list []worldChange) []worldChange {
	key := func(c worldChange) string {
		return strings.Join([]string{c.At.UTC().Format("02 15:04:05.000000"), c.Type, c.CI, c.Subject, c.Action, c.New}, "\n")
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b worldChange) int { return strings.Compare(key(a), key(b)) })
	return list
}

// TestListChanges: the feed tells of everything that happened, in its order, however it is cut into
// pages.
func TestListChanges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(t), rand.New(rand.NewPCG(seed, 1))
			for range 120 {
				w.play(r)
			}
			whole, _ := feed(t, w.s, inventory.FeedQuery{})
			if diff := cmp.Diff(sortWorld(w.changes), sortWorld(asWorld(whole))); diff != "" {
				t.Fatalf("changes (-want +got):\n%s", diff)
			}
			if !slices.IsSortedFunc(whole, func(a, b inventory.FeedChange) int {
				if a.At.Equal(b.At) {
					return strings.Compare(a.Type, b.Type)
				}
				return a.At.Compare(b.At)
			}) {
				t.Error("the changes are not in their order")
			}
			for _, size := range []int{3, 20} {
				if diff := cmp.Diff(whole, pages(t, w.s, size)); diff != "" {
					t.Errorf("in pages of %d (-want +got):\n%s", size, diff)
				}
			}
			for _, full := range []int{1, 8} {
				var windows []inventory.FeedChange
				err := w.s.listChanges(t.Context(), &changeFeed{full: full, visit: func(c inventory.FeedChange, _ inventory.Position) error {
					windows = append(windows, c)
					return nil
				}})
				if diff := cmp.Diff(whole, windows); diff != "" || err != nil {
					t.Errorf("in windows of %d: %v (-want +got):\n%s", full, err, diff)
				}
			}
			w.checkScopes(whole)
		})
	}
}

func pages(t *testing.T, s *Store, size int) []inventory.FeedChange {
	t.Helper()
	var all []inventory.FeedChange
	query := inventory.FeedQuery{Page: inventory.Page{Limit: size}}
	for {
		changes, last := feed(t, s, query)
		if len(changes) == 0 {
			return all
		}
		if len(changes) > size {
			t.Fatalf("a page of %d changes, want at most %d", len(changes), size)
		}
		all, query.After = append(all, changes...), last
	}
}

// checkScopes: what is asked of a part of the feed is that part of the whole.
func (w *world) checkScopes(whole []inventory.FeedChange) {
	w.t.Helper()
	middle := whole[len(whole)/2].At
	for name, part := range map[string]struct {
		query inventory.FeedQuery
		keep  func(inventory.FeedChange) bool
	}{
		"since":  {inventory.FeedQuery{Since: middle}, func(c inventory.FeedChange) bool { return !c.At.Before(middle) }},
		"until":  {inventory.FeedQuery{Until: middle}, func(c inventory.FeedChange) bool { return c.At.Before(middle) }},
		"as of":  {inventory.FeedQuery{Page: inventory.Page{AsOf: middle}}, func(c inventory.FeedChange) bool { return !c.At.After(middle) }},
		"type":   {inventory.FeedQuery{Type: "ci"}, func(c inventory.FeedChange) bool { return c.Type == "ci" }},
		"source": {inventory.FeedQuery{Source: "manual"}, func(c inventory.FeedChange) bool { return c.Source == "manual" }},
		"class": {inventory.FeedQuery{Class: "computer", Type: "attribute"}, func(c inventory.FeedChange) bool {
			return c.Type == "attribute" && (c.CI.Class == "computer" || c.CI.Class == "laptop")
		}},
		"CI": {inventory.FeedQuery{CI: w.cis[0].id, Type: "item"}, func(c inventory.FeedChange) bool {
			return c.Type == "item" && c.CI.ID == w.cis[0].id
		}},
	} {
		got, _ := feed(w.t, w.s, part.query)
		want := slices.DeleteFunc(slices.Clone(whole), func(c inventory.FeedChange) bool { return !part.keep(c) })
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			w.t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	other, _ := feed(w.t, w.s, inventory.FeedQuery{CI: w.cis[1].id, Type: "relationship"})
	for _, c := range other {
		if c.CI.ID != w.cis[1].id {
			w.t.Errorf("a change of %s among those of %s", c.CI.ID, w.cis[1].id)
		}
	}
}

// TestChangesRepeat: what several say of one relationship begins with the first of them and ends
// once with the last.
func TestChangesRepeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.newRecord("computer", "a"), w.newRecord("monitor", "b")
	later := func(change func()) {
		w.now = w.now.Add(time.Hour)
		change()
	}
	var held []*worldRelationship
	for range 3 {
		later(func() { held = append(held, w.relate("connected_to", b, a, a)) })
	}
	later(func() { w.unrelate(held[0]) })
	later(func() { w.unrelate(held[1]); w.unrelate(held[2]) })
	changes, _ := feed(t, w.s, inventory.FeedQuery{Type: "relationship"})
	want := []worldChange{
		{worldStart.Add(time.Hour), "relationship", "began", b.ci.id, "connected_to", "a"},
		{worldStart.Add(5 * time.Hour), "relationship", "ended", b.ci.id, "connected_to", "a"},
	}
	if diff := cmp.Diff(want, asWorld(changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// TestChangeValues: a change says what was and what is, who told, and who did it.
func TestChangeValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pc := w.newRecord("computer", "pc")
	screen := w.newRecord("monitor", "screen")
	w.now = w.now.Add(time.Second)
	w.set(pc.ci, map[string]any{"model": "A"})
	w.collect(pc, "software", map[int]bool{1: true})
	w.now = w.now.Add(time.Second)
	w.set(pc.ci, map[string]any{"model": "B"})
	w.collect(pc, "software", map[int]bool{6: true})
	w.relate("connected_to", screen, pc, pc)
	w.exec(`
		insert into source_record (source, native_key, default_ci) values ('manual', '\x01', $1)`, pc.ci.id)
	w.exec(`
		insert into assignment (record_id, valid_from, ci_id, is_primary) select id, $1, $2, false from source_record where source = 'manual'`,
		w.now, pc.ci.id)
	w.now = w.now.Add(time.Second)
	w.set(pc.ci, map[string]any{"owner": "Ada"})
	w.exec(`update ci_version set provenance = $2 where ci_id = $1 and valid_to = 'infinity'`, pc.ci.id,
		`{"owner": {"source": "manual", "rule": "only"}, "model": {"source": "agent", "rule": "only"}}`)
	w.exec(`
		insert into record_version (record_id, valid_from, class, attributes)
		select id, $1, '', '{"owner": "Ada"}' from source_record where source = 'manual'`, w.now)
	w.exec(`insert into audit_entry (at, actor, reason) values ($1, 'alice', 'as HR says')`, w.now)
	changes, _ := feed(t, w.s, inventory.FeedQuery{CI: pc.ci.id, Since: worldStart.Add(2 * time.Second)})
	ref := inventory.CIRef{ID: pc.ci.id, Class: "computer", Name: "pc"}
	want := []inventory.FeedChange{
		{Type: "attribute", Action: "changed", CI: ref, Source: "agent", Subject: "model", Old: []byte(`"A"`), New: []byte(`"B"`)},
		{
			Type: "item", Action: "changed", CI: ref, Source: "agent", Subject: "software",
			Old: []byte(`{"name" : "thing 1", "version" : 1}`), New: []byte(`{"name" : "thing 1", "version" : 6}`),
		},
		{Type: "relationship", Action: "began", CI: ref, Source: "agent", Subject: "connected_to", Name: "screen"},
		{Type: "attribute", Action: "added", CI: ref, Source: "manual", Subject: "owner", New: []byte(`"Ada"`), Actor: "alice", Reason: "as HR says"},
	}
	for i := range changes {
		changes[i].At = time.Time{}
		if changes[i].Type == "relationship" { // with ids that are made as the test runs
			if !strings.Contains(string(changes[i].New), screen.ci.id) {
				t.Errorf("%s does not name %s", changes[i].New, screen.ci.id)
			}
			changes[i].New = nil
		}
	}
	if diff := cmp.Diff(want, changes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// TestChangesMissNothing: who polls while others write learns of every change once.
func TestChangesMissNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const writers, each = 4, 25
	for i := range writers {
		w.newRecord("computer", strconv.Itoa(i))
	}
	if err := ensurePartitions(t, w.s); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, writers)
	for i := range writers {
		go func() { done <- w.s.writeSlowly(t.Context(), w.records[i].id, each) }()
	}
	seen := map[string]int{}
	var after inventory.Position
	poll := func() (news int) {
		query := inventory.FeedQuery{Page: inventory.Page{After: after, Limit: 10}, Type: "item"}
		changes, last := feed(t, w.s, query)
		for _, c := range changes {
			seen[c.CI.ID+string(c.New)]++
		}
		if last != nil {
			after = last
		}
		return len(changes)
	}
	for running := writers; running > 0; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running--
		default:
			poll()
		}
	}
	for news := 1; news > 0; {
		news = poll()
	}
	if len(seen) != writers {
		t.Errorf("%d machines with changes, want %d", len(seen), writers)
	}
	for key, n := range seen {
		if n != each {
			t.Errorf("%s: %d changes, want %d", key, n, each)
		}
	}
}

// writeSlowly adds changes, each in a transaction that commits some time after its instant.
func (s *Store) writeSlowly(ctx context.Context, record int64, n int) error {
	for range n {
		tx, err := s.Pool.Begin(ctx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			with turn as materialized (select pg_current_xact_id())
			insert into item_event select $1, 1, clock_timestamp(), '{0}', '{1}' from turn`, record)
		_, errWait := tx.Exec(ctx, `select pg_sleep(random() * 0.01)`)
		if err = errors.Join(err, errWait, tx.Commit(ctx)); err != nil {
			return err
		}
	}
	return nil
}
