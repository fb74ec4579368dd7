package items

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// commonSection is the section_id of the row that sections without a row of their own share.
const commonSection = 0

// Holding is what is stored of a record's items, in the sections that were asked for. It is as new
// as the version of the record that was read before it: Commit applies a change of that version
// only. A nil Holding is that of a record without items.
type Holding struct {
	sections *sectionIDs
	rows     map[int16]Difference
	common   map[int16][]inventory.ItemID // by section: its items in the common row, if asked for whole
}

// Holds reports whether a section has an item, which must be one of that section.
func (h *Holding) Holds(section string, id inventory.ItemID) bool {
	if h == nil {
		return false
	}
	own, ok := h.rows[h.sections.get(section)]
	if !ok {
		own = h.rows[commonSection]
	}
	return own.Holds(id)
}

// Items returns the items of a section that was asked for whole, sorted. The caller must not change
// them.
func (h *Holding) Items(section string) []inventory.ItemID {
	if h == nil {
		return nil
	}
	number := h.sections.get(section)
	if own, ok := h.rows[number]; ok {
		return own.Set()
	}
	return h.common[number]
}

// changedRows returns the rows that a change of some sections rewrites, as they are afterwards.
func (h *Holding) changedRows(sections *sectionIDs, changes []inventory.SectionChange) map[int16]Difference {
	if h == nil {
		h = &Holding{}
	}
	changed := map[int16]Difference{}
	row := func(section int16) Difference {
		if d, ok := changed[section]; ok {
			return d
		}
		return h.rows[section]
	}
	for _, c := range changes {
		if len(c.Gained)+len(c.Lost) == 0 {
			continue
		}
		section := sections.get(c.State.Section)
		if _, own := h.rows[section]; own {
			changed[section] = row(section).Change(c.Gained, c.Lost)
			continue
		}
		before, whole := h.common[section]
		after := union(except(before, c.Lost), c.Gained)
		if NeedsOwnRow(len(after)) && (whole || c.First) {
			changed[section] = Difference{Plus: after}
			if len(before) > 0 {
				changed[commonSection] = row(commonSection).Change(nil, before)
			}
			continue
		}
		changed[commonSection] = row(commonSection).Change(c.Gained, c.Lost)
	}
	return changed
}

// Holdings reads what records hold. Of a section in part it can only be asked which items it has; a
// section in whole can be listed, and moved out of the common row. Records without items are
// absent.
func (s *Store) Holdings(ctx context.Context, part, whole []inventory.SetKey) (map[int64]*Holding, error) {
	holdings, err := s.readRows(ctx, slices.Concat(part, whole))
	if err != nil {
		return nil, err
	}
	return holdings, s.listCommon(ctx, holdings, whole)
}

// Sets reads the current items of sections, sorted. An empty section is absent.
func (s *Store) Sets(ctx context.Context, keys []inventory.SetKey) (map[inventory.SetKey][]inventory.ItemID, error) {
	holdings, err := s.Holdings(ctx, nil, keys)
	if err != nil {
		return nil, err
	}
	sets := make(map[inventory.SetKey][]inventory.ItemID, len(keys))
	for _, key := range keys {
		if items := holdings[key.Record].Items(key.Section); len(items) > 0 {
			sets[key] = items
		}
	}
	return sets, nil
}

// storedRow is a row of item_set. Its base may be one that this collector has not read yet.
type storedRow struct {
	Row

	base        *int32
	plus, minus []inventory.ItemID
}

func (s *Store) readRows(ctx context.Context, keys []inventory.SetKey) (map[int64]*Holding, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	records, sections, err := s.rowsOf(ctx, keys)
	if err != nil {
		return nil, err
	}
	rows, err := s.Pool.Query(ctx, `
		select s.record_id, s.section_id, s.base_id, s.plus, s.minus
		from unnest($1::bigint[], $2::smallint[]) k (record_id, section_id)
		join item_set s on s.record_id = k.record_id and s.section_id = k.section_id`, records, sections)
	if err != nil {
		return nil, fmt.Errorf("read item sets: %w", err)
	}
	stored, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (row storedRow, err error) {
		err = r.Scan(&row.Record, &row.Section, &row.base, &row.plus, &row.minus)
		return row, err
	})
	if err != nil {
		return nil, fmt.Errorf("read item sets: %w", err)
	}
	return s.holdingsOf(ctx, stored)
}

// rowsOf lists the rows that may hold items of the sections: their own ones and the common ones.
func (s *Store) rowsOf(ctx context.Context, keys []inventory.SetKey) (records []int64, sections []int16, err error) {
	common := map[int64]bool{}
	for _, key := range keys {
		id, err := s.sectionID(ctx, key.Section)
		if err != nil {
			return nil, nil, err
		}
		records, sections = append(records, key.Record), append(sections, id)
		if !common[key.Record] {
			common[key.Record] = true
			records, sections = append(records, key.Record), append(sections, commonSection)
		}
	}
	return records, sections, nil
}

func (s *Store) holdingsOf(ctx context.Context, stored []storedRow) (map[int64]*Holding, error) {
	var ids []int32
	for _, row := range stored {
		if row.base != nil {
			ids = append(ids, *row.base)
		}
	}
	bases, err := s.basesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	holdings := map[int64]*Holding{}
	for _, row := range stored {
		h := holdings[row.Record]
		if h == nil {
			h = &Holding{sections: s.sections, rows: map[int16]Difference{}, common: map[int16][]inventory.ItemID{}}
			holdings[row.Record] = h
		}
		d := Difference{Plus: row.plus, Minus: row.minus}
		if row.base != nil {
			d.Base = bases[*row.base]
		}
		h.rows[row.Section] = d
	}
	return holdings, nil
}

// listCommon finds the items of the sections in the common rows, which hold items of several.
func (s *Store) listCommon(ctx context.Context, holdings map[int64]*Holding, whole []inventory.SetKey) error {
	sets, all := map[int64][]inventory.ItemID{}, []inventory.ItemID{}
	for _, key := range whole {
		h := holdings[key.Record]
		if h == nil {
			continue
		}
		section := s.sections.get(key.Section)
		if _, own := h.rows[section]; own {
			continue
		}
		h.common[section] = nil
		if _, listed := sets[key.Record]; !listed {
			sets[key.Record] = h.rows[commonSection].Set()
			all = append(all, sets[key.Record]...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	sections, err := s.sectionsOf(ctx, slices.Compact(all))
	if err != nil {
		return err
	}
	for record, set := range sets {
		h := holdings[record]
		for _, id := range set {
			section := sections[id]
			if _, wanted := h.common[section]; wanted {
				h.common[section] = append(h.common[section], id)
			}
		}
	}
	return nil
}

func (s *Store) sectionsOf(ctx context.Context, ids []inventory.ItemID) (map[inventory.ItemID]int16, error) {
	rows, err := s.Pool.Query(ctx, `select id, section_id from item where id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read sections of items: %w", err)
	}
	sections := make(map[inventory.ItemID]int16, len(ids))
	var id inventory.ItemID
	var section int16
	_, err = pgx.ForEachRow(rows, []any{&id, &section}, func() error {
		sections[id] = section
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sections of items: %w", err)
	}
	return sections, nil
}
