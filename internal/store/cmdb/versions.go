package cmdb

import (
	"github.com/musterhq/muster/internal/inventory"
)

// The SQL fragments of this file use these aliases: d is a ci_version, m an assignment, r a
// source_record and p its presence. Their only argument is @as_of.

// versionAt is the condition that a version d was valid at the page's instant. For now it is the
// condition of the partial indexes.
func versionAt(page inventory.Page) string {
	if page.AsOf.IsZero() {
		return `d.valid_to = 'infinity'`
	}
	return `d.valid_from <= @as_of and d.valid_to > @as_of`
}

// memberAt is the condition that an assignment m was valid at the instant.
const memberAt = `m.valid_from <= @as_of and m.valid_to > @as_of`

// versionOrLast is the condition that a version d was valid at the page's instant, or that it was
// the last version of a CI that was retired at the instant.
func versionOrLast(page inventory.Page) string {
	return `(` + versionAt(page) + ` or ` + versionRetired + ` and not exists (
		select from ci_version n where n.ci_id = d.ci_id and n.valid_from >= d.valid_to and n.valid_from <= @as_of))`
}

// versionRetired is the condition that a version d had ended by the instant because its CI was
// retired.
const versionRetired = `d.retired and d.valid_to <= @as_of`

// versionRetirement joins, for a version d, the audit entry "retirement" of its retirement, if it
// is retired.
const versionRetirement = `
	left join audit_entry retirement on ` + versionRetired + ` and retirement.at = d.valid_to`

// versionText is the text of a version d that a search for CIs matches. The index has the same
// expression.
const versionText = `lower(d.name || E'\n' || coalesce(d.attributes ->> 'serial_number', '')
	|| E'\n' || coalesce(d.attributes ->> 'model', ''))`

// versionSeen joins, for a version d, the row "seen" with the time when any record of the CI was
// last observed (seen_at). The database has no history of that time, so it is only right for the
// current state.
const versionSeen = `
	left join lateral (
		select max(` + recordSeen + `) as seen_at
		from assignment m
		join source_record r on r.id = m.record_id
		left join presence p on p.record_id = r.id
		where m.ci_id = d.ci_id and ` + memberAt + `
	) seen on true`

// recordSeen is the time when a record r with its presence p was last observed. A component is
// observed whenever one of the records is that it has a relationship with: they report it as long
// as it is there.
const recordSeen = `
	case when r.source <> '` + inventory.SourceDiscovery + `' then greatest(r.seen_at, p.seen_at)
	else (
		select greatest(r.seen_at, max(greatest(o.seen_at, s.seen_at)))
		from relationship l
		join source_record o on o.id = l.observer
		left join presence s on s.record_id = o.id
		where (l.from_record = r.id or l.to_record = r.id) and l.valid_to = 'infinity'
	) end`
