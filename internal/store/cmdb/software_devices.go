package cmdb

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// basesHolding are the bases that hold some of the items, with those items. A row of item_set with
// such a base holds at least one of them unless its minus contains them all.
const basesHolding = `
	holding as materialized (
		select b.id, array(select i from unnest(@items::integer[]) i where i = any(b.ids)) as items
		from item_base b
		where b.ids && @items
	)`

// currentHolder selects the primary record of a device from a row s of item_set. A device with
// several such records is listed at the smallest that holds one of the items. The conditions are
// part of each search for rows, because a limit after them must not drop a device.
const currentHolder = `
	select s.record_id, h.ci_id
	from item_set s
	join assignment h on h.record_id = s.record_id and h.valid_to = 'infinity' and h.is_primary
	join ci_version d on d.ci_id = h.ci_id and d.valid_to = 'infinity' and d.device
	where s.record_id > @after
		and not exists (
			select from assignment o
			join item_set e on e.record_id = o.record_id
			where o.ci_id = h.ci_id and o.valid_to = 'infinity' and o.is_primary and o.record_id < h.record_id
				and (e.plus && @items or exists (
					select from holding b where b.id = e.base_id and (e.minus is null or not e.minus @> b.items)
				))
		)`

// currentInstallations lists the devices with a record that holds one of the items: in its own part
// of a set, or by its base.
const currentInstallations = `
	with ` + basesHolding + `
	select ` + deviceColumns + `, h.record_id
	from (
		(` + currentHolder + ` and s.plus && @items order by s.record_id limit @limit)
		union
		select r.* from holding b cross join lateral (` + currentHolder + `
			and s.base_id = b.id and (s.minus is null or not s.minus @> b.items)
			order by s.record_id limit @limit) r
	) h
	join ci_version d on d.ci_id = h.ci_id and d.valid_to = 'infinity' and d.device
	join ci c on c.id = d.ci_id` + versionSeen + `
	order by h.record_id
	limit @limit`

// pastInstallations counts how many of the items each record has now, and reverses the events after
// the instant. An event names an item whether it was added or removed.
const pastInstallations = `
	with ` + basesHolding + `, holder as materialized (
		select i.record_id
		from (
			select s.record_id, (select count(*) from unnest(@items::integer[]) x where x = any(s.plus)) as n
			from item_set s
			where s.plus && @items
			union all
			select s.record_id, (select count(*) from unnest(b.items) x where s.minus is null or x <> all(s.minus))
			from holding b
			join item_set s on s.base_id = b.id
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
