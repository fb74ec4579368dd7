package link

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// change is what the agent sends of one section in reply to a Want.
type change struct {
	section      string
	base         []byte // root of the set that the change is relative to; empty if the section is sent whole
	root         inventory.Root
	duration     time.Duration
	added        []wire.Encoded
	removed      [][]byte       // facts
	readings     []wire.Encoded // unchanged items, sent for their readings
	readingsOnly bool
}

// knownSets returns the facts that the collector acknowledged for a section if their root is the
// given one.
type knownSets func(section string, root inventory.Root) (facts [][]byte, ok bool)

// answer returns what to send for a Want. For each named section it returns a delta if the agent
// has the set that the collector holds and the section is complete, else the whole section. If the
// Want asks for readings, it adds those of all other sections. A section that was not collected is
// left out.
func answer(want *inventoryv1.Want, inv Inventory, known knownSets) []change {
	wanted := make(map[string][]byte, len(want.GetSections()))
	for _, w := range want.GetSections() {
		wanted[w.GetSection()] = w.GetBaseRoot()
	}
	var changes []change
	for _, s := range inv.Sections {
		if !s.Status.Collected() {
			continue
		}
		if base, ok := wanted[s.Section]; ok {
			changes = append(changes, s.changeFrom(base, want.GetReadings(), known))
		} else if want.GetReadings() {
			changes = append(changes, s.readingsAlone()...)
		}
	}
	return changes
}

// changeFrom returns the change from the set that the collector holds to the current set.
func (s Section) changeFrom(base []byte, withReadings bool, known knownSets) change {
	whole := change{section: s.Section, root: s.Root, duration: s.Duration, added: s.Set.Items()}
	if !s.Status.Complete() || len(base) != len(inventory.Root{}) {
		return whole
	}
	facts, ok := known(s.Section, inventory.Root(base))
	if !ok {
		return whole
	}
	delta := whole
	delta.base = base
	var kept []wire.Encoded
	delta.added, delta.removed, kept = difference(s.Set, facts)
	if withReadings {
		delta.readings = kept
	}
	return delta
}

// readingsAlone returns the readings of an unchanged section, or nil if its items have none.
func (s Section) readingsAlone() []change {
	for _, item := range s.Set.Items() {
		if item.Readings != nil {
			return []change{{
				section: s.Section, root: s.Root, duration: s.Duration,
				readings: s.Set.Items(), readingsOnly: true,
			}}
		}
	}
	return nil
}

// difference returns the items of set that are not in base, the facts of base that are not in set,
// and the items that are in both.
func difference(set wire.Set, base [][]byte) (added []wire.Encoded, removed [][]byte, kept []wire.Encoded) {
	gone := make(map[wire.Hash][]byte, len(base))
	for _, facts := range base {
		gone[wire.HashOf(facts)] = facts
	}
	for _, item := range set.Items() {
		if _, ok := gone[item.Hash]; ok {
			kept = append(kept, item)
			delete(gone, item.Hash)
		} else {
			added = append(added, item)
		}
	}
	for _, facts := range base { // in the order of base, not of the map
		if _, ok := gone[wire.HashOf(facts)]; ok {
			removed = append(removed, facts)
		}
	}
	return added, removed, kept
}
