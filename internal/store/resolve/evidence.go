package resolve

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

type recordEvidenceRow struct {
	ID                int64
	Source            string
	BaseClass         string
	DefaultCI         string
	CreatedAt         time.Time
	SeenAt            *time.Time
	LivenessDependent bool
	Identifiers       []string
	FirstSeen         []time.Time
	LastSeen          []*time.Time
	CI                *string
	IsPrimary         *bool
	PreviousCIs       []string
	Rule              string
	Retired           bool
	Disposed          bool
}

// load reads the evidence and the assignment of records.
func (n *candidates) load(ctx context.Context, records []int64) error {
	rows, err := n.tx.Query(ctx, `
		select r.id, r.source, r.base_class, r.default_ci::text as default_ci, r.created_at,
			greatest(r.seen_at, p.seen_at) as seen_at, r.liveness_dependent,
		       e.identifiers, e.first_seen, e.last_seen, m.ci_id::text as ci, m.is_primary,
		       	m.previous_cis::text[] as previous_cis, coalesce(d.rule, '') as rule,
		       c.retired_at is not null as retired, coalesce(c.disposed, false) as disposed
		from source_record r
		left join presence p on p.record_id = r.id
		left join evidence e on e.record_id = r.id
		left join assignment m on m.record_id = r.id and m.valid_to = 'infinity'
		left join ci c on c.id = m.ci_id
		left join lateral (
			select d.rule from identity_decision d where d.record_id = r.id order by d.at desc, d.id desc limit 1
		) d on m.ci_id is not null
		where r.id = any($1)`, records)
	if err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[recordEvidenceRow])
	if err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	for _, row := range list {
		n.evidence[row.ID] = n.recordEvidence(row)
		if row.CI != nil {
			n.assigned[row.ID] = currentAssignment{
				CI: *row.CI, Primary: *row.IsPrimary, PreviousCIs: row.PreviousCIs, Rule: row.Rule,
				LivenessDependent: row.LivenessDependent, Retired: row.Retired,
				Disposed: row.Disposed,
			}
		}
	}
	return nil
}

// recordEvidence gives a record as identity sees it. What speaks now is heard of now; when others
// were last heard of is written down a moment later than what they said, so that nothing they said
// may be later than that.
func (n *candidates) recordEvidence(row recordEvidenceRow) inventory.RecordEvidence {
	discovered := row.CreatedAt
	later := func(at *time.Time) {
		if at != nil && at.After(discovered) {
			discovered = *at
		}
	}
	later(row.SeenAt)
	if n.updated[row.ID] {
		later(&n.at)
	}
	for i := range row.Identifiers {
		later(&row.FirstSeen[i])
		later(row.LastSeen[i])
	}
	w := inventory.RecordEvidence{
		Record: row.ID, Source: row.Source, BaseClass: row.BaseClass, CreatedAt: row.CreatedAt, SeenAt: discovered,
		DefaultCI: row.DefaultCI,
	}
	for i, identifier := range row.Identifiers {
		interval := inventory.IdentifierInterval{
			Identifier: inventory.Identifier(identifier),
			First:      row.FirstSeen[i],
			Last:       discovered,
		}
		if last := row.LastSeen[i]; last != nil {
			// The word that ended it was the first one without it.
			interval.Last = last.Add(-time.Microsecond)
		}
		w.Identifiers = append(w.Identifiers, interval)
	}
	return w
}
