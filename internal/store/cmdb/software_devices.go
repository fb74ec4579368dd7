package cmdb

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// currentInstallations lists the devices with a primary record that has one of the items.
// PostgreSQL uses the index on the items of sets, or reads the sets in order if nearly every record
// has one. A device is listed once, for the first bucket of the first record that has one.
const currentInstallations = `
	select ` + deviceColumns + `, s.record_id
	from item_set s
	join assignment h on h.record_id = s.record_id and h.valid_to = 'infinity' and h.is_primary
	join ci_version d on d.ci_id = h.ci_id and d.valid_to = 'infinity' and d.device
	join ci c on c.id = d.ci_id` + versionSeen + `
	where s.ids && @items and s.record_id > @after
		and not exists (
			select from item_set e
			where e.record_id = s.record_id and e.section_id = s.section_id and e.bucket < s.bucket and e.ids && @items
		)
		and not exists (
			select from assignment o
			join item_set e on e.record_id = o.record_id
			where o.ci_id = h.ci_id and o.valid_to = 'infinity' and o.is_primary and o.record_id < h.record_id
				and e.ids && @items
		)
	order by s.record_id
	limit @limit`

// pastInstallations counts how many of the items each record has now, and reverses the events after
// the instant. An event names an item whether it was added or removed.
const pastInstallations = `
	with holder as materialized (
		select i.record_id
		from (
			select s.record_id, (select count(*) from unnest(@items::integer[]) x where x = any(s.ids)) as n
			from item_set s
			where s.ids && @items
			union all
			select e.record_id,
				(select count(*) from unnest(@items::integer[]) x where x = any(e.old_items))
				- (select count(*) from unnest(@items::integer[]) x where x = any(e.new_items))
			from item_event e
			where e.at > @as_of and (e.old_items && @items or e.new_items && @items)
		) i
		join section_state st on st.record_id = i.record_id and st.first_at <= @as_of
			and st.section_id = (select id from section where name = '` + inventory.SectionSoftware + `')
		group by i.record_id
		having sum(i.n) > 0
	), listed as (
		select m.ci_id, min(h.record_id) as record_id
		from holder h join assignment m on m.record_id = h.record_id and m.is_primary and ` + memberAt + `
		group by m.ci_id
	)
	select ` + deviceColumns + `, l.record_id
	from listed l
	join ci_version d on d.ci_id = l.ci_id and d.valid_from <= @as_of and d.valid_to > @as_of and d.device
	join ci c on c.id = d.ci_id` + versionSeen + `
	where l.record_id > @after
	order by l.record_id
	limit @limit`

type installationRow struct {
	inventory.Device

	RecordID int64
}

// ListSoftwareDevices lists the devices that a software is installed on, in the order of their
// enrollment.
func (s *Store) ListSoftwareDevices(
	ctx context.Context, q inventory.SoftwareDevicesQuery, visit inventory.Visit[inventory.Device],
) error {
	after, err := installationPosition(q.After)
	if err != nil {
		return err
	}
	sql := pastInstallations
	if q.AsOf.IsZero() {
		sql = currentInstallations
	}
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		items, err := softwareItems(ctx, tx, q.Software)
		if err != nil {
			return err
		}
		args := pgx.NamedArgs{"items": items, "after": after, "as_of": db.Instant(q.Page), "limit": db.Limit(q.Page)}
		return db.ForEach(ctx, tx, "list devices of software", sql, args, func(row installationRow) error {
			return visit(row.Device, inventory.Position{strconv.FormatInt(row.RecordID, 10)})
		})
	})
}

func installationPosition(p inventory.Position) (int64, error) {
	if p == nil {
		return 0, nil
	}
	if len(p) != 1 {
		return 0, db.ErrPosition
	}
	record, err := strconv.ParseInt(p[0], 10, 64)
	if err != nil {
		return 0, db.ErrPosition
	}
	return record, nil
}

// softwareItems reads the items that are installations of a software.
func softwareItems(ctx context.Context, tx pgx.Tx, id int32) ([]int32, error) {
	items, err := db.Column[int32](ctx, tx, "read items of software", `
		select item_id from software_item where software_id = $1 order by item_id`, id)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, noSoftware(id)
	}
	return items, nil
}
