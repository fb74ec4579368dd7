package cmdb

import (
	"github.com/musterhq/muster/internal/inventory"
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
