package cmdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// versionAt picks the version d of a CI that was valid at the page's instant.
func versionAt(page inventory.Page) string {
	if page.AsOf.IsZero() {
		return `d.valid_to = 'infinity'`
	}
	return `d.valid_from <= @as_of and d.valid_to > @as_of`
}

// memberAt picks the membership m that was valid at the page's instant.
const memberAt = `m.valid_from <= @as_of and m.valid_to > @as_of`

// versionOrLast picks the last version of a CI that was retired by then and had not come back, too.
func versionOrLast(page inventory.Page) string {
	return `(` + versionAt(page) + ` or ` + versionRetired + ` and not exists (
		select from ci_version n where n.ci_id = d.ci_id and n.valid_from >= d.valid_to and n.valid_from <= @as_of))`
}

// versionRetired says of a version d that it had ended by then because its CI was retired.
const versionRetired = `d.retired and d.valid_to <= @as_of`

// versionRetirement says who retired the CI of such a version, and why.
const versionRetirement = `
	left join audit_entry retirement on ` + versionRetired + ` and retirement.at = d.valid_to`

// versionText is what a search for a CI looks through, as the index has it.
const versionText = `lower(d.name || E'\n' || coalesce(d.attributes ->> 'serial_number', '')
	|| E'\n' || coalesce(d.attributes ->> 'model', ''))`

// versionSeen finds when a CI was seen last: when any of its records was. Where that was after the instant asked about,
// it is not known when it had been seen by then.
const versionSeen = `
	left join lateral (
		select max(` + recordSeen + `) as seen_at
		from assignment m
		join source_record r on r.id = m.record_id
		left join presence p on p.record_id = r.id
		where m.ci_id = d.ci_id and ` + memberAt + `
	) seen on true`

// recordSeen is when a source record r, with its presence p, was heard of last. A part is there whenever those are heard
// of that see it: they would say if it were gone.
const recordSeen = `
	case when r.source <> '` + inventory.SourceDiscovery + `' then greatest(r.seen_at, p.seen_at)
	else (
		select greatest(r.seen_at, max(greatest(o.seen_at, s.seen_at)))
		from relationship l
		join source_record o on o.id = l.observer
		left join presence s on s.record_id = o.id
		where (l.from_record = r.id or l.to_record = r.id) and l.valid_to = 'infinity'
	) end`

// ciState is the CI that an id stands for.
type ciState struct {
	ID      string
	Device  bool
	Class   string
	Retired bool
}

// ciAt gives the CI that an id stands for at the page's instant: its own, or the one that it was merged into. That is
// the one to which the records belong that would be the CI if they were no other's. A CI that is retired stands for itself.
func ciAt(ctx context.Context, tx pgx.Tx, id string, page inventory.Page) (ciState, error) {
	place, found, err := db.One[ciState](ctx, tx, `
		select d.ci_id::text as id, d.device, d.class, d.valid_to <= @as_of as retired
		from (
			select @id::uuid as ci_id, 0 as record_id
			union all
			select m.ci_id, m.record_id
			from source_record r join assignment m on m.record_id = r.id
			where r.default_ci = @id::uuid and `+memberAt+`
		) p
		join ci_version d on d.ci_id = p.ci_id and `+versionOrLast(page)+`
		order by retired, p.record_id
		limit 1`, pgx.NamedArgs{"id": id, "as_of": db.Instant(page)})
	if err != nil {
		return place, fmt.Errorf("find CI: %w", err)
	}
	if !found {
		return place, db.NotFound("there is no configuration item %s", id)
	}
	return place, nil
}
