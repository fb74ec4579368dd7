package cmdb

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

type changeRow struct {
	At       time.Time
	RecordID int64
	Section  string
	N        int64
	Old, New json.RawMessage
}

func (r changeRow) position() inventory.Position {
	return inventory.Position{
		r.At.UTC().Format(time.RFC3339Nano), strconv.FormatInt(r.RecordID, 10), r.Section, strconv.FormatInt(r.N, 10),
	}
}

// ListDeviceChanges lists the changes of a device's items, the newest first: those that its records told of while they
// were its own.
func (s *Store) ListDeviceChanges(ctx context.Context, q inventory.ChangeQuery, visit inventory.Visit[inventory.ItemChange]) error {
	until := q.Until
	if until.IsZero() {
		until = db.EndOfTime
	}
	args := pgx.NamedArgs{
		"section": q.Section, "since": q.Since, "until": until,
		"as_of": db.Instant(q.Page), "limit": db.Limit(q.Page),
	}
	after := ``
	if q.After != nil {
		if err := changePosition(q.After, args); err != nil {
			return err
		}
		after = `and e.at <= @after_at and (e.at, e.record_id, n.name, c.n) < (@after_at, @after_record, @after_section, @after_n)`
	}
	sql := `
		select e.at, e.record_id, n.name as section, c.n, o.facts as old, w.facts as new
		from assignment m
		join item_event e on e.record_id = m.record_id and e.at >= m.valid_from and e.at < m.valid_to
		join section n on n.id = e.section_id
		cross join lateral unnest(e.old_items, e.new_items) with ordinality c (old_item, new_item, n)
		left join item o on o.id = c.old_item
		left join item w on w.id = c.new_item
		where m.ci_id = @device and m.is_primary and m.valid_from <= @as_of
			and e.at >= @since and e.at < @until and e.at <= @as_of
			and (@section = '' or n.name = @section)
			` + after + `
		order by e.at desc, e.record_id desc, n.name desc, c.n desc
		limit @limit`
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		var err error
		if args["device"], err = deviceAt(ctx, tx, q.Device, q.Page); err != nil {
			return err
		}
		return db.ForEach(ctx, tx, "list changes of device", sql, args, func(row changeRow) error {
			return visit(inventory.ItemChange{At: row.At, Section: row.Section, Old: row.Old, New: row.New}, row.position())
		})
	})
}

func changePosition(p inventory.Position, args pgx.NamedArgs) error {
	if len(p) != 4 {
		return db.ErrPosition
	}
	at, err := time.Parse(time.RFC3339Nano, p[0])
	if err != nil {
		return db.ErrPosition
	}
	record, err := strconv.ParseInt(p[1], 10, 64)
	if err != nil {
		return db.ErrPosition
	}
	n, err := strconv.ParseInt(p[3], 10, 64)
	if err != nil {
		return db.ErrPosition
	}
	args["after_at"], args["after_record"], args["after_section"], args["after_n"] = at, record, p[2], n
	return nil
}
