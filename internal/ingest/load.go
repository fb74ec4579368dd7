package ingest

import (
	"cmp"
	"context"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// wholeSection asks the store for every bucket of a section.
const wholeSection = -1

// load reads what the diffs need of the current sets: whole sections for what was sent whole, the touched
// buckets for deltas.
func (g *Ingester) load(ctx context.Context, group []*job) error {
	var keys []inventory.SetKey
	for _, j := range group {
		for _, w := range j.sections {
			keys = append(keys, w.needs(j.obs.Record.ID)...)
		}
	}
	if len(keys) > 0 {
		sets, err := g.store.Buckets(ctx, keys)
		if err != nil {
			return err
		}
		hand(group, sets)
	}
	return g.loadAbsent(ctx, group)
}

// needs names the buckets that the diff of a section is made against.
func (w *sectionWork) needs(record int64) []inventory.SetKey {
	if w.update == nil || !w.state.Collected {
		return nil
	}
	if w.update.Base == nil || len(w.update.items.Readings) > 0 {
		return []inventory.SetKey{{Record: record, Section: w.state.Section, Bucket: wholeSection}}
	}
	touched := map[int]bool{}
	for _, slots := range [][]slot{w.added, w.removed} {
		for _, s := range slots {
			touched[inventory.BucketOf(s.ref.KeyHash, w.state.Buckets)] = true
		}
	}
	keys := make([]inventory.SetKey, 0, len(touched))
	for bucket := range touched {
		keys = append(keys, inventory.SetKey{Record: record, Section: w.state.Section, Bucket: bucket})
	}
	return keys
}

func hand(group []*job, sets map[inventory.SetKey][]inventory.ItemID) {
	bySection := map[inventory.SetKey]*sectionWork{}
	for _, j := range group {
		for _, w := range j.sections {
			w.current = map[int][]inventory.ItemID{}
			bySection[inventory.SetKey{Record: j.obs.Record.ID, Section: w.state.Section}] = w
		}
	}
	for key, ids := range sets {
		if w := bySection[inventory.SetKey{Record: key.Record, Section: key.Section}]; w != nil {
			w.current[key.Bucket] = ids
		}
	}
}

// loadAbsent reads the keys of the items that whole sections no longer hold, and of all items where readings of
// unchanged items came: those are named by their keys.
func (g *Ingester) loadAbsent(ctx context.Context, group []*job) error {
	var ids []inventory.ItemID
	wanted := map[*sectionWork][]inventory.ItemID{}
	for _, j := range group {
		for _, w := range j.sections {
			switch {
			case w.update == nil:
				continue
			case len(w.update.items.Readings) > 0:
				wanted[w] = w.currentIDs()
			case w.update.Base == nil && !w.update.ReadingsOnly:
				wanted[w] = reconcile.Absent(w.currentIDs(), w.sent())
			}
			ids = append(ids, wanted[w]...)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	refs, err := g.store.Refs(ctx, ids)
	if err != nil {
		return err
	}
	byID := make(map[inventory.ItemID]inventory.Ref, len(refs))
	for _, ref := range refs {
		byID[ref.ID] = ref
	}
	for w, ids := range wanted {
		for _, id := range ids {
			w.refs = append(w.refs, byID[id])
		}
	}
	return nil
}

// currentIDs gives the loaded ids, sorted.
func (w *sectionWork) currentIDs() []inventory.ItemID {
	var ids []inventory.ItemID
	for _, bucket := range w.current {
		ids = append(ids, bucket...)
	}
	slices.Sort(ids)
	return ids
}

// sent gives the refs of what was added, sorted by id, once each: two encodings may be one item.
func (w *sectionWork) sent() []inventory.Ref { return refsOf(w.added) }

func refsOf(slots []slot) []inventory.Ref {
	refs := make([]inventory.Ref, len(slots))
	for i, s := range slots {
		refs[i] = s.ref
	}
	slices.SortFunc(refs, byID)
	return slices.Compact(refs)
}

func byID(a, b inventory.Ref) int { return cmp.Compare(a.ID, b.ID) }
