package items

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// stateRows gathers the section states of a group.
type stateRows struct {
	records    []int64
	sections   []int16
	at         []time.Time
	roots      [][]byte
	supersets  []bool
	statuses   []string
	messages   []string
	changed    []bool   // the status did
	moved      []bool   // the items or the status did
	durations  []*int32 // ms
	items      []int32
	hasItems   []bool
	verdicts   []*string
	pastStatus bool
}

func (r *stateRows) add(record int64, section int16, at time.Time, c inventory.SectionChange) error {
	var root []byte
	if c.State.Collected {
		root = c.State.Root[:]
	}
	var verdicts *string
	if len(c.State.Verdicts) > 0 {
		encoded, err := json.Marshal(c.State.Verdicts)
		if err != nil {
			return fmt.Errorf("encode verdicts: %w", err)
		}
		text := string(encoded)
		verdicts = &text
	}
	r.records, r.sections, r.at = append(r.records, record), append(r.sections, section), append(r.at, at)
	r.roots, r.supersets = append(r.roots, root), append(r.supersets, c.State.Superset)
	r.statuses, r.messages = append(r.statuses, string(c.State.Status)), append(r.messages, c.State.Message)
	r.changed = append(r.changed, c.StatusChanged)
	r.moved = append(r.moved, c.StatusChanged || c.First || len(c.Events) > 0)
	r.durations = append(r.durations, inMilliseconds(c.Duration))
	r.items = append(r.items, int32(c.State.Items)) //nolint:gosec // bounded by ingest
	r.hasItems = append(r.hasItems, c.First)
	r.verdicts = append(r.verdicts, verdicts)
	r.pastStatus = r.pastStatus || c.StatusChanged
	return nil
}

func inMilliseconds(d *time.Duration) *int32 {
	if d == nil {
		return nil
	}
	ms := int32(d.Milliseconds()) //nolint:gosec // deadlines are seconds
	return &ms
}

const (
	keepPastStatus = `
		insert into section_status_past (record_id, section_id, valid_from, valid_to, status, message)
		select s.record_id, s.section_id, s.status_since, n.at, s.status, s.message
		from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::boolean[]) n (record_id, section_id,
			at, changed)
		join section_state s on s.record_id = n.record_id and s.section_id = n.section_id
		where n.changed`

	// The fence lets no other transaction write the states of these records.
	upsertStates = `
		with old as materialized (
			select * from section_state where record_id = any($1)
		), new as materialized (
			select *
			from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::boolean[], $5::bytea[], $6::boolean[],
				$7::text[], $8::text[], $9::integer[], $10::integer[], $11::boolean[], $12::jsonb[])
				n (record_id, section_id, at, moved, root, superset, status, message, duration_ms, items, first,
					verdicts)
		), merged as (
			select n.record_id, n.section_id, n.root, n.superset, n.status, n.message,
				case when (o.status, o.message) = (n.status, n.message) then o.status_since else n.at end
					as status_since,
				n.duration_ms, n.items, coalesce(o.first_at, case when n.first then n.at end) as first_at,
				case when n.moved or o.record_id is null then n.at else o.changed_at end as changed_at, n.verdicts
			from new n left join old o on o.record_id = n.record_id and o.section_id = n.section_id
			union all
			select o.*
			from old o
			where not exists (select from new n where n.record_id = o.record_id and n.section_id = o.section_id)
			order by record_id, items, section_id
		)
		insert into section_states (record_id, section_ids, roots, supersets, statuses, messages, status_since,
			durations_ms, items, first_at, changed_at, verdicts)
		select record_id, array_agg(section_id), array_agg(root), array_agg(superset), array_agg(status),
			array_agg(message), array_agg(status_since), array_agg(duration_ms), array_agg(items), array_agg(first_at),
			array_agg(changed_at), case when count(verdicts) > 0 then array_agg(verdicts) end
		from merged
		group by record_id
		on conflict (record_id) do update set
			section_ids  = excluded.section_ids,
			roots        = excluded.roots,
			supersets    = excluded.supersets,
			statuses     = excluded.statuses,
			messages     = excluded.messages,
			status_since = excluded.status_since,
			durations_ms = excluded.durations_ms,
			items        = excluded.items,
			first_at     = excluded.first_at,
			changed_at   = excluded.changed_at,
			verdicts     = excluded.verdicts`
)

func (r *stateRows) queue(batch *pgx.Batch) {
	if len(r.records) == 0 {
		return
	}
	if r.pastStatus {
		batch.Queue(keepPastStatus, r.records, r.sections, r.at, r.changed)
	}
	batch.Queue(upsertStates, r.records, r.sections, r.at, r.moved, r.roots, r.supersets, r.statuses, r.messages,
		r.durations, r.items, r.hasItems, r.verdicts)
}
