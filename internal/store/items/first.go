package items

import (
	"context"
	"sync"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// firstReadings remembers the first readings of items; see readings.go. They never change. It holds
// two generations and drops the older one when the younger one is full.
type firstReadings struct {
	mu         sync.Mutex
	young, old map[inventory.ItemID][]byte // nil: the item was reported without readings first
}

// rememberedReadings is the number of items of one generation, about 100 bytes each.
const rememberedReadings = 1 << 16

func newFirstReadings() *firstReadings {
	return &firstReadings{young: map[inventory.ItemID][]byte{}, old: map[inventory.ItemID][]byte{}}
}

// copyTo copies the first readings of items and returns the items that it does not know.
func (f *firstReadings) copyTo(
	first map[inventory.ItemID][]byte, readings []inventory.Reading,
) (unknown []inventory.ItemID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range readings {
		raw, known := f.young[r.Item]
		if !known {
			if raw, known = f.old[r.Item]; known {
				f.add(r.Item, raw)
			}
		}
		switch {
		case !known:
			unknown = append(unknown, r.Item)
		case raw != nil:
			first[r.Item] = raw
		}
	}
	return unknown
}

// remember adds an item that was inserted.
func (f *firstReadings) remember(item inventory.ItemID, raw []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(item, raw)
}

// add adds an item to the younger generation. The caller holds mu.
func (f *firstReadings) add(item inventory.ItemID, raw []byte) {
	if len(f.young) >= rememberedReadings {
		f.old, f.young = f.young, f.old
		clear(f.young)
	}
	f.young[item] = raw
}

type firstReadingsRow struct {
	ID       inventory.ItemID
	Readings []byte
}

// firstReadingsOf returns the first readings of the items that changes have readings of.
func (s *Store) firstReadingsOf(ctx context.Context, changes []*Change) (map[inventory.ItemID][]byte, error) {
	first := map[inventory.ItemID][]byte{}
	var unknown []inventory.ItemID
	for _, c := range changes {
		for _, section := range c.Sections {
			unknown = append(unknown, s.first.copyTo(first, section.Readings)...)
		}
	}
	if len(unknown) == 0 {
		return first, nil
	}
	rows, err := db.Collect[firstReadingsRow](ctx, s.Pool, "read first readings", `
		select id, readings from item where id = any($1)`, unknown)
	if err != nil {
		return nil, err
	}
	s.first.mu.Lock()
	defer s.first.mu.Unlock()
	for _, row := range rows {
		s.first.add(row.ID, row.Readings)
		if row.Readings != nil {
			first[row.ID] = row.Readings
		}
	}
	return first, nil
}
