package cmdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// heldItems is the common table expressions "known" and "held" of a query with the arguments @device, @section and
// @as_of. "held" has the items of the section at the instant, once each (item_id). Before the first
// collection, the items of a section are unknown: such a section has no row in "known".
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

// itemSortKey compares items by their facts, numbers as numbers; a fact that is absent comes last.
const itemSortKey = `array(select %s.facts::jsonb -> f.name from unnest(@order_by::text[]) with ordinality f (name, n) order by f.n)`

type heldItemRow struct {
	ID       inventory.ItemID
	Software int32
	Facts    json.RawMessage
}

// ListDeviceItems lists what a section of a device holds, with the latest readings that had come by then.
func (s *Store) ListDeviceItems(ctx context.Context, q inventory.ItemQuery, visit inventory.Visit[inventory.HeldItem]) error {
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
		after = fmt.Sprintf(`(k.sort_key, i.id) > (select %s, a.id from item a where a.id = @after)`, fmt.Sprintf(itemSortKey, "a"))
	}
	sql := `
		with ` + heldItems + `
		select i.id, i.facts, coalesce(w.software_id, 0) as software
		from held h
		join item i on i.id = h.item_id
		left join software_item w on w.item_id = i.id
		cross join lateral (select ` + fmt.Sprintf(itemSortKey, "i") + ` as sort_key) k
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
			item := inventory.HeldItem{ID: row.ID, Software: row.Software, Facts: row.Facts, Readings: readings[row.ID]}
			return visit(item, inventory.Position{strconv.Itoa(int(row.ID))})
		})
	})
}

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

// deviceReadings gathers the readings of all records of a device, the later over the earlier.
func (s *Store) deviceReadings(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) (map[inventory.ItemID][]byte, error) {
	latest := map[inventory.ItemID][]byte{}
	err := db.ForEach(ctx, tx, "read readings of device", `
		select r.payload
		from reading r
		where r.record_id = `+deviceRecords+`
			and r.section_id = (select id from section where name = @section)
			and `+db.IsNow+`
		order by r.at`, args, func(row readingRow) error {
		readings, err := s.readings.Decode(row.Payload)
		for _, r := range readings {
			latest[r.Item] = r.Raw
		}
		return err
	})
	return latest, err
}
