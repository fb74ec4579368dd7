package resolve

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// evidenceRows gathers the evidence of records. Arrays of different lengths have no array type of
// their own: they travel as one flat array with bounds, which are 1-based and inclusive as those of
// SQL slices.
type evidenceRows struct {
	records           []int64
	first, last       []int32 // bounds of a record's identifiers
	identifiers       []inventory.Identifier
	firstSeen         []time.Time
	lastSeen          []*time.Time
	rejected          []*string
	hosts             []inventory.Identifier
	hostFrom, hostsTo []int32
}

func (e *evidenceRows) add(
	record int64, history []inventory.IdentifierHistory, rejected *string, hosts []inventory.Identifier,
) {
	e.records, e.rejected = append(e.records, record), append(e.rejected, rejected)
	e.first = append(e.first, bound(len(e.identifiers)+1))
	for _, h := range history {
		e.identifiers = append(e.identifiers, h.Identifier)
		e.firstSeen, e.lastSeen = append(e.firstSeen, h.FirstSeen), append(e.lastSeen, h.LastSeen)
	}
	e.last = append(e.last, bound(len(e.identifiers)))
	e.hostFrom = append(e.hostFrom, bound(len(e.hosts)+1))
	e.hosts = append(e.hosts, hosts...)
	e.hostsTo = append(e.hostsTo, bound(len(e.hosts)))
}

func bound(n int) int32 { return int32(n) } //nolint:gosec // a group holds far fewer

func (e *evidenceRows) queue(batch *pgx.Batch) {
	if len(e.records) == 0 {
		return
	}
	batch.Queue(`
		insert into evidence (record_id, identifiers, first_seen, last_seen, rejected, hosts)
		select n.record_id, ($6::text[])[n.first:n.last],
			case when seen.first[1] = all(seen.first) then seen.first[1:1] else seen.first end,
			case when array_remove(seen.last, null) <> '{}' then seen.last end,
			n.rejected, nullif(($9::text[])[n.host_from:n.hosts_to], '{}')
		from unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $10::jsonb[])
			n (record_id, first, last, host_from, hosts_to, rejected)
		cross join lateral (
			select ($7::timestamptz[])[n.first:n.last] as first, ($8::timestamptz[])[n.first:n.last] as last
		) seen
		on conflict (record_id) do update set identifiers = excluded.identifiers, first_seen = excluded.first_seen,
			last_seen = excluded.last_seen, rejected = excluded.rejected, hosts = excluded.hosts`,
		e.records, e.first, e.last, e.hostFrom, e.hostsTo, orEmpty(e.identifiers), orEmpty(e.firstSeen),
		orEmpty(e.lastSeen), orEmpty(e.hosts), e.rejected)
}

// recordVersionRows gathers the versions of the values that records report.
type recordVersionRows struct {
	ended      []int64 // records whose current version ends
	records    []int64
	classes    []string
	attributes []string
}

func (v *recordVersionRows) add(record int64, ends bool, class, attributes string) {
	if ends {
		v.ended = append(v.ended, record)
	}
	v.records, v.classes = append(v.records, record), append(v.classes, class)
	v.attributes = append(v.attributes, attributes)
}

func (v *recordVersionRows) queue(batch *pgx.Batch, at time.Time) {
	if len(v.ended) > 0 {
		batch.Queue(`
			update record_version set valid_to = $2 where record_id = any($1) and valid_to = 'infinity'`, v.ended, at)
	}
	if len(v.records) > 0 {
		batch.Queue(`
			insert into record_version (record_id, valid_from, class, attributes)
			select n.record_id, $4, n.class, n.attributes
			from unnest($1::bigint[], $2::text[], $3::jsonb[]) n (record_id, class, attributes)`,
			v.records, v.classes, v.attributes, at)
	}
}

// baseClassRows gathers the base classes of records that report another one than before.
type baseClassRows struct {
	records []int64
	classes []string
}

func (b *baseClassRows) add(record int64, class string) {
	b.records, b.classes = append(b.records, record), append(b.classes, class)
}

func (b *baseClassRows) queue(batch *pgx.Batch) {
	if len(b.records) == 0 {
		return
	}
	batch.Queue(`
		update source_record r set base_class = n.class
		from unnest($1::bigint[], $2::text[]) n (record_id, class)
		where r.id = n.record_id`, b.records, b.classes)
}
