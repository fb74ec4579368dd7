package cmdb

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
	"github.com/musterhq/muster/internal/store/items"
)

// heldItems is the common table expressions "known" and "held" of a query with the arguments
// @device, @section and @as_of. "held" has the items of the section at the instant, once each
// (item_id). Before the first collection, the items of a section are unknown: such a section has no
// row in "known".
var heldItems = `
	known as materialized (
		select record_id, section_id
		from section_state
		where record_id = ` + deviceRecords + `
			and section_id = (select id from section where name = @section)
			and first_at <= @as_of
	), held as (
		select distinct x.item_id
		from known k
		cross join lateral (` + itemsAt("k", `@as_of`) + `) x
	)`

// itemSortKey is the facts @order_by of an item, named by its alias, as an array: numbers compare
// as numbers, and an absent fact sorts last.
func itemSortKey(alias string) string {
	return `array(
		select ` + alias + `.facts::jsonb -> f.name
		from unnest(@order_by::text[]) with ordinality f (name, n)
		order by f.n)`
}

type heldItemRow struct {
	ID       inventory.ItemID
	Software int32
	Facts    json.RawMessage
	First    []byte // the first readings of the item
}

// ListDeviceItems lists the items of a section of a device. For the current state they have their
// latest readings.
func (s *Store) ListDeviceItems(
	ctx context.Context, q inventory.ItemQuery, visit inventory.Visit[inventory.HeldItem],
) error {
	args := pgx.NamedArgs{
		"section": q.Section, "order_by": q.OrderBy, "as_of": db.Instant(q.Page), "limit": db.Limit(q.Page),
	}
	after := `true`
	if q.After != nil {
		id, err := itemPosition(q.After)
		if err != nil {
			return err
		}
		args["after"] = id
		after = `(k.sort_key, i.id) > (select ` + itemSortKey("a") + `, a.id from item a where a.id = @after)`
	}
	sql := `
		with ` + heldItems + `
		select i.id, i.facts, i.readings as first, coalesce(w.software_id, 0) as software
		from held h
		join item i on i.id = h.item_id
		left join software_item w on w.item_id = i.id
		cross join lateral (select ` + itemSortKey("i") + ` as sort_key) k
		where ` + after + `
		order by k.sort_key, i.id
		limit @limit`
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		var err error
		if args["device"], err = deviceAt(ctx, tx, q.Device, q.Page); err != nil {
			return err
		}
		readings, err := s.deviceReadings(ctx, tx, args)
		if err != nil {
			return err
		}
		return db.ForEach(ctx, tx, "list items", sql, args, func(row heldItemRow) error {
			item := inventory.HeldItem{ID: row.ID, Software: row.Software, Facts: row.Facts}
			if reading, has := readings[row.ID]; has {
				if item.Readings, err = reading.Restore(row.First); err != nil {
					return err
				}
			}
			return visit(item, inventory.Position{strconv.Itoa(int(row.ID))})
		})
	})
}

// itemPosition returns the item id that is the only element of a position.
func itemPosition(p inventory.Position) (int32, error) {
	if len(p) != 1 {
		return 0, db.ErrPosition
	}
	id, err := strconv.ParseInt(p[0], 10, 32)
	if err != nil {
		return 0, db.ErrPosition
	}
	return int32(id), nil
}

type readingRow struct{ Payload []byte }

// deviceReadings returns the latest reading of each item of a section, by item. For the past it
// returns none.
func (s *Store) deviceReadings(
	ctx context.Context, tx pgx.Tx, args pgx.NamedArgs,
) (map[inventory.ItemID]items.StoredReading, error) {
	latest := map[inventory.ItemID]items.StoredReading{}
	err := db.ForEach(ctx, tx, "read readings of device", `
		select r.payload
		from reading r
		where r.record_id = `+deviceRecords+`
			and (select id from section where name = @section) = any(r.section_ids)
			and `+db.IsNow+`
		order by r.at`, args, func(row readingRow) error {
		readings, err := s.readings.Decode(row.Payload)
		for _, r := range readings {
			latest[r.Item] = r
		}
		return err
	})
	return latest, err
}
