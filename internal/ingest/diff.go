package ingest

import (
	"context"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// diff computes the change of each section and of the record.
func (g *Ingester) diff(_ context.Context, group []*job) error {
	for _, j := range group {
		o := j.obs
		j.change = inventory.Change{
			Record: o.Record.ID, Version: o.Record.Version, Root: o.Root, Token: o.Token,
			Previous: o.Previous, BootID: o.BootID, Program: o.Program, Hardware: o.Hardware, Incident: o.Incident,
		}
		for _, w := range j.sections {
			changed, err := w.diff()
			if err != nil {
				j.err = err
				break
			}
			if changed {
				j.change.Sections = append(j.change.Sections, w.change)
			}
			j.verdicts = append(j.verdicts, w.change.State.Verdicts...)
		}
	}
	return nil
}

// diff computes the change of the section and reports whether there is anything to write.
func (w *sectionWork) diff() (bool, error) {
	w.change.State = w.state
	w.change.State.Status, w.change.State.Message = w.summary.Status, w.summary.Message
	w.change.StatusChanged = w.state.Status != "" &&
		(w.state.Status != w.summary.Status || w.state.Message != w.summary.Message)
	if w.update == nil {
		if w.summary.Status.Collected() && (!w.state.Collected || w.state.Root != w.summary.Root) {
			return false, &MismatchError{Section: w.state.Section}
		}
		return w.state.Status != w.summary.Status || w.state.Message != w.summary.Message, nil
	}
	w.change.Duration = w.update.Duration
	switch {
	case w.update.ReadingsOnly:
		w.takeDailyReadings()
	case w.update.Base == nil:
		w.diffFull()
	default:
		if err := w.diffDelta(); err != nil {
			return true, err
		}
	}
	// A section of which something is missing is requested whole with the next change.
	w.change.State.Superset = w.change.State.Superset || w.missing > 0
	return true, nil
}

func (w *sectionWork) diffFull() {
	sent, current := w.sent(), w.currentIDs()
	absent := slices.DeleteFunc(slices.Clone(w.refs), func(r inventory.Ref) bool {
		_, found := slices.BinarySearchFunc(sent, r, byID)
		return found
	})
	d := reconcile.Full(current, sent, absent, w.summary.Status.Complete())

	c := &w.change
	c.First = !w.state.Collected
	c.State.Collected, c.State.Root, c.State.Superset = true, w.update.Root, len(d.Kept) > 0
	c.State.Items = len(sent) + len(d.Kept)
	c.State.Verdicts = keepVerdicts(nil, w.verdicts, true)
	if !c.First {
		c.Events = reconcile.Events(d)
	}
	c.Gained, c.Lost = idsOf(d.Gained), idsOf(d.Lost)
	c.AllReadings = true
	w.takeReadings()
}

func (w *sectionWork) diffDelta() error {
	if !w.state.Collected || *w.update.Base != w.state.Root {
		return &MismatchError{Section: w.state.Section}
	}
	held := func(ref inventory.Ref) bool { return w.held.Holds(w.state.Section, ref.ID) }
	d, err := reconcile.Delta(w.sent(), refsOf(w.removed), held)
	if err != nil {
		return &MismatchError{Section: w.state.Section}
	}
	c := &w.change
	c.State.Root = w.update.Root
	c.State.Items += len(d.Gained) - len(d.Lost)
	c.State.Verdicts = keepVerdicts(w.state.Verdicts, w.verdicts, false)
	c.Events = reconcile.Events(d)
	c.Gained, c.Lost = idsOf(d.Gained), idsOf(d.Lost)
	w.takeReadings()
	if len(w.update.items.Readings) > 0 {
		w.takeDailyReadings()
	}
	return nil
}

func idsOf(refs []inventory.Ref) []inventory.ItemID {
	ids := make([]inventory.ItemID, len(refs))
	for i, ref := range refs {
		ids[i] = ref.ID
	}
	return ids
}

func (w *sectionWork) takeReadings() {
	for _, s := range w.added {
		if s.readings != nil {
			w.change.Readings = append(w.change.Readings, inventory.Reading{Item: s.ref.ID, Raw: s.readings})
		}
	}
}

// takeDailyReadings adds the readings of unchanged items. It drops readings whose key matches no
// stored item, or several.
func (w *sectionWork) takeDailyReadings() {
	devices := map[int64][]inventory.ItemID{}
	for _, ref := range w.refs {
		devices[ref.KeyHash] = append(devices[ref.KeyHash], ref.ID)
	}
	w.change.AllReadings = true
	for _, r := range w.update.items.Readings {
		ids := devices[r.KeyHash]
		if len(ids) != 1 {
			continue
		}
		if raw, _ := checkReadings(w.update.Section, r.Readings); raw != nil {
			w.change.Readings = append(w.change.Readings, inventory.Reading{Item: ids[0], Raw: raw})
		}
	}
}
