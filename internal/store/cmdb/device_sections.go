package cmdb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// deviceRecords are the source records whose inventory was a device's at the instant.
const deviceRecords = `any(array(select m.record_id from assignment m where m.ci_id = @device and m.is_primary and ` + memberAt + `))`

// What was later than the instant is taken back: a status has its past, a count of items its events. How long a
// collection took and what its verdicts were is kept for the last one alone. Of several records the one that
// changed last speaks for the section.
const deviceSections = `
	select distinct on (n.name)
		n.name,
		case when st.status_since <= @as_of then st.status else p.status end as status,
		case when st.status_since <= @as_of then st.message else p.message end as message,
		case when st.status_since <= @as_of then st.status_since else p.valid_from end as status_since,
		case when st.first_at <= @as_of then st.items + coalesce(later.lost, 0) end as items,
		case when st.changed_at <= @as_of then st.changed_at
			else greatest(p.valid_from, earlier.at, case when st.first_at <= @as_of then st.first_at end,
				case when st.status_since <= @as_of then st.status_since end) end as changed_at,
		case when ` + db.IsNow + ` then st.duration_ms end as duration_ms,
		case when ` + db.IsNow + ` then st.verdicts end as verdicts
	from section_state st
	join section n on n.id = st.section_id
	left join section_status_past p on p.record_id = st.record_id and p.section_id = st.section_id
		and p.valid_from <= @as_of and p.valid_to > @as_of
	left join lateral (
		select sum(cardinality(array_remove(e.old_items, 0)) - cardinality(array_remove(e.new_items, 0)))::integer as lost
		from item_event e
		where e.record_id = st.record_id and e.section_id = st.section_id and e.at > @as_of
	) later on true
	left join lateral (
		select max(e.at) as at
		from item_event e
		where e.record_id = st.record_id and e.section_id = st.section_id and e.at <= @as_of and st.changed_at > @as_of
	) earlier on true
	where st.record_id = ` + deviceRecords + `
		and (st.status_since <= @as_of or p.record_id is not null)
		and n.name > @after
	order by n.name, st.changed_at desc
	limit @limit`

// ListDeviceSections lists the sections of a device by name.
func (s *Store) ListDeviceSections(ctx context.Context, device string, page inventory.Page, visit inventory.Visit[inventory.DeviceSection]) error {
	after := ""
	if page.After != nil {
		if len(page.After) != 1 {
			return db.ErrPosition
		}
		after = page.After[0]
	}
	args := pgx.NamedArgs{"as_of": db.Instant(page), "after": after, "limit": db.Limit(page)}
	return s.List(ctx, page, func(tx pgx.Tx) error {
		var err error
		if args["device"], err = deviceAt(ctx, tx, device, page); err != nil {
			return err
		}
		return db.ForEach(ctx, tx, "list sections", deviceSections, args, func(section inventory.DeviceSection) error {
			return visit(section, inventory.Position{section.Name})
		})
	})
}
