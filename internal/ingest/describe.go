package ingest

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// The sections that a device's attributes come from.
const (
	systemSection = "system"
	osSection     = "os"
)

// describe works out the attributes of the devices whose describing sections changed, and makes devices for
// records that have none yet.
func (g *Ingester) describe(ctx context.Context, group []*job) error {
	var affected []*job
	for _, j := range group {
		if j.change.CI == "" {
			id, err := uuid.NewV7()
			if err != nil {
				return fmt.Errorf("make device id: %w", err)
			}
			j.change.CI, j.change.NewCI = id.String(), true
		}
		if j.change.NewCI || j.updates(systemSection) || j.updates(osSection) {
			affected = append(affected, j)
		}
	}
	if len(affected) == 0 {
		return nil
	}
	facts, err := g.describing(ctx, affected)
	if err != nil {
		return err
	}
	known, err := g.store.Devices(ctx, cisOf(affected))
	if err != nil {
		return err
	}
	for _, j := range affected {
		device := reconcile.Device(facts[j][systemSection], facts[j][osSection])
		if was, ok := known[j.change.CI]; !ok || was != device {
			j.change.Device = &device
		}
	}
	return nil
}

func (j *job) updates(section string) bool {
	for _, w := range j.sections {
		if w.state.Section == section {
			return w.update != nil && !w.update.ReadingsOnly
		}
	}
	return false
}

func cisOf(group []*job) []string {
	var cis []string
	for _, j := range group {
		if !j.change.NewCI {
			cis = append(cis, j.change.CI)
		}
	}
	return cis
}

// describing gives the facts of each job's describing sections as they are after its change.
func (g *Ingester) describing(ctx context.Context, group []*job) (map[*job]map[string][]byte, error) {
	items, held := map[*job]map[string]inventory.ItemID{}, []inventory.SetKey{}
	for _, j := range group {
		items[j] = map[string]inventory.ItemID{}
		for _, section := range []string{systemSection, osSection} {
			if id, ok := j.after(section); ok {
				items[j][section] = id
			} else if j.obs.States[section].Collected {
				held = append(held, inventory.SetKey{Record: j.obs.Record.ID, Section: section})
			}
		}
	}
	if len(held) > 0 {
		sets, err := g.store.Buckets(ctx, held)
		if err != nil {
			return nil, err
		}
		for _, j := range group {
			for _, section := range []string{systemSection, osSection} {
				if ids := sets[inventory.SetKey{Record: j.obs.Record.ID, Section: section}]; len(ids) > 0 {
					items[j][section] = ids[0]
				}
			}
		}
	}
	return g.factsOf(ctx, items)
}

// after gives the item that a single-valued section holds after its update; false where there is no update.
func (j *job) after(section string) (inventory.ItemID, bool) {
	for _, w := range j.sections {
		if w.state.Section != section || w.update == nil || w.update.ReadingsOnly {
			continue
		}
		for _, b := range w.change.Buckets {
			if len(b.IDs) > 0 {
				return b.IDs[0], true
			}
		}
		return 0, len(w.change.Buckets) > 0
	}
	return 0, false
}

func (g *Ingester) factsOf(ctx context.Context, items map[*job]map[string]inventory.ItemID) (map[*job]map[string][]byte, error) {
	var ids []inventory.ItemID
	for _, sections := range items {
		for _, id := range sections {
			ids = append(ids, id)
		}
	}
	facts, err := g.store.Facts(ctx, ids)
	if err != nil {
		return nil, err
	}
	byJob := make(map[*job]map[string][]byte, len(items))
	for j, sections := range items {
		byJob[j] = make(map[string][]byte, len(sections))
		for section, id := range sections {
			byJob[j][section] = facts[id]
		}
	}
	return byJob, nil
}
