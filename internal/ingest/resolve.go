package ingest

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// observe sets the observation of each job that changes identifiers, attributes or components.
func (g *Ingester) observe(ctx context.Context, group []*job) error {
	group = slices.DeleteFunc(slices.Clone(group), func(j *job) bool { return !j.tells() })
	if len(group) == 0 {
		return nil
	}
	facts, err := g.changed(ctx, group)
	if err != nil {
		return err
	}
	for _, j := range group {
		observed := reconcile.Observe(facts[j], g.rules.IsHonest)
		if j.obs.Also != nil {
			observed = reconcile.Join(observed, *j.obs.Also)
		}
		j.observed = &observed
	}
	return nil
}

// tells reports whether the check-in may change the identifiers, attributes or components of its
// record.
func (j *job) tells() bool {
	return j.obs.Record.CI == "" || j.obs.Record.LivenessDependent || j.obs.Also != nil ||
		slices.ContainsFunc(j.sections, (*sectionWork).tells)
}

func (w *sectionWork) tells() bool {
	return slices.Contains(reconcile.Sections(), w.state.Section) &&
		w.update != nil && !w.update.ReadingsOnly && len(w.change.Gained)+len(w.change.Lost) > 0
}

// changed returns the facts of the sections that package reconcile reads, after each job's change.
func (g *Ingester) changed(ctx context.Context, group []*job) (map[*job]map[string][]json.RawMessage, error) {
	held, err := g.heldItems(ctx, group)
	if err != nil {
		return nil, err
	}
	var ids []inventory.ItemID
	for _, sections := range held {
		for _, items := range sections {
			ids = append(ids, items...)
		}
	}
	facts, err := g.store.Facts(ctx, ids)
	if err != nil {
		return nil, err
	}
	reported := make(map[*job]map[string][]json.RawMessage, len(group))
	for j, sections := range held {
		reported[j] = make(map[string][]json.RawMessage, len(sections))
		for section, items := range sections {
			for _, id := range items {
				reported[j][section] = append(reported[j][section], facts[id])
			}
		}
	}
	return reported, nil
}

// heldItems returns the items of the sections that package reconcile reads, after each job's
// change.
func (g *Ingester) heldItems(ctx context.Context, group []*job) (map[*job]map[string][]inventory.ItemID, error) {
	var keys []inventory.SetKey
	for _, j := range group {
		for _, section := range reconcile.Sections() {
			if j.obs.States[section].Collected {
				keys = append(keys, inventory.SetKey{Record: j.obs.Record.ID, Section: section})
			}
		}
	}
	sets := map[inventory.SetKey][]inventory.ItemID{}
	if len(keys) > 0 {
		var err error
		if sets, err = g.store.Sets(ctx, keys); err != nil {
			return nil, err
		}
	}
	held := make(map[*job]map[string][]inventory.ItemID, len(group))
	byRecord := make(map[int64]*job, len(group))
	for _, j := range group {
		held[j], byRecord[j.obs.Record.ID] = map[string][]inventory.ItemID{}, j
	}
	for key, ids := range sets {
		j := byRecord[key.Record]
		held[j][key.Section] = append(held[j][key.Section], ids...)
	}
	for _, j := range group {
		for _, w := range j.sections {
			if w.update != nil && slices.Contains(reconcile.Sections(), w.state.Section) {
				held[j][w.state.Section] = w.after(held[j][w.state.Section])
			}
		}
	}
	return held, nil
}

// after returns the items of a section after its change.
func (w *sectionWork) after(before []inventory.ItemID) []inventory.ItemID {
	items := slices.DeleteFunc(before, func(id inventory.ItemID) bool { return slices.Contains(w.change.Lost, id) })
	items = append(items, w.change.Gained...)
	slices.Sort(items)
	return slices.Compact(items)
}

// Reconsider resolves a record again after a check-in without changes. It is for records whose
// assignment is liveness-dependent.
func (g *Ingester) Reconsider(
	ctx context.Context, record inventory.Record, states map[string]inventory.SectionState,
) (inventory.RecordAssignment, error) {
	unchanged := inventory.RecordAssignment{CI: record.CI}
	j := &job{obs: &CheckIn{Record: record, States: states}}
	if err := g.observe(ctx, []*job{j}); err != nil || j.observed == nil {
		return unchanged, err
	}
	assignments, err := g.store.Resolve(ctx, []inventory.Observation{{Record: record.ID, Observed: *j.observed}})
	if err != nil {
		return unchanged, err
	}
	return assignments[record.ID], nil
}
