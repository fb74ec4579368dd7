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
		from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::boolean[]) n (record_id, section_id, at, changed)
		join section_state s on s.record_id = n.record_id and s.section_id = n.section_id
		where n.changed`

	upsertStates = `
		insert into section_state as s (record_id, section_id, changed_at, root, superset, status, message,
			status_since, duration_ms, items, first_at, verdicts)
		select n.record_id, n.section_id,
			case when n.moved or not exists (
				select from section_state x where x.record_id = n.record_id and x.section_id = n.section_id
			) then n.at else '-infinity' end, n.root, n.superset, n.status, n.message,
			n.at, n.duration_ms, n.items, case when n.first then n.at end, n.verdicts
		from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::boolean[], $5::bytea[], $6::boolean[],
			$7::text[], $8::text[], $9::integer[], $10::integer[], $11::boolean[], $12::jsonb[])
			n (record_id, section_id, at, moved, root, superset, status, message, duration_ms, items, first, verdicts)
		on conflict (record_id, section_id) do update set
			changed_at   = greatest(s.changed_at, excluded.changed_at),
			root         = excluded.root,
			superset     = excluded.superset,
			status       = excluded.status,
			message      = excluded.message,
			status_since = case when (s.status, s.message) = (excluded.status, excluded.message)
				then s.status_since else excluded.status_since end,
			duration_ms  = excluded.duration_ms,
			items        = excluded.items,
			first_at     = coalesce(s.first_at, excluded.first_at),
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
