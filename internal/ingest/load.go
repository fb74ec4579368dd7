package ingest

import (
	"cmp"
	"context"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store/items"
)

// load reads from the current sets what diff needs: all items of a section that was sent whole, and
// for a delta whether its items are in the set.
func (g *Ingester) load(ctx context.Context, group []*job) error {
	var part, whole []inventory.SetKey
	for _, j := range group {
		if !j.holdsItems() {
			continue
		}
		for _, w := range j.sections {
			key := inventory.SetKey{Record: j.obs.Record.ID, Section: w.state.Section}
			switch {
			case w.needsAll():
				whole = append(whole, key)
			case w.changesItems():
				part = append(part, key)
			}
		}
	}
	held, err := g.store.Holdings(ctx, part, whole)
	if err != nil {
		return err
	}
	for _, j := range group {
		j.held = held[j.obs.Record.ID]
		for _, w := range j.sections {
			w.held = j.held
		}
	}
	return g.loadAbsent(ctx, group)
}

// holdsItems reports whether the record may have stored items.
func (j *job) holdsItems() bool {
	for _, state := range j.obs.States {
		if state.Collected {
			return true
		}
	}
	return false
}

func (w *sectionWork) changesItems() bool { return w.update != nil && !w.update.ReadingsOnly }

// needsAll reports whether all items of the stored section are needed: by the diff, or by the store
// if the section outgrows the row that it shares with others.
func (w *sectionWork) needsAll() bool {
	if w.update == nil || !w.state.Collected {
		return false
	}
	if len(w.update.items.Readings) > 0 {
		return true
	}
	return w.changesItems() && (w.update.Base == nil || items.NeedsOwnRow(w.state.Items+len(w.added)))
}

// loadAbsent reads the keys of the items that a whole section no longer contains. If a section has
// readings of unchanged items, it reads the keys of all items, because readings refer to keys.
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

// currentIDs returns the sorted ids of a section of which all items were loaded.
func (w *sectionWork) currentIDs() []inventory.ItemID { return w.held.Items(w.state.Section) }

// sent returns the refs of the added items, sorted by id, without repetition: two encodings may be
// one item.
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
