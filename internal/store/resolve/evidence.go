package resolve

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

type recordEvidenceRow struct {
	ID                int64
	Source            string
	BaseClass         string
	DefaultCI         string
	CreatedAt         time.Time
	SeenAt            *time.Time
	LivenessDependent bool
	PresentAt         *time.Time // of its presence, nil: there is none
	Since             *time.Time
	Until             *time.Time
	Connected         bool
	Identifiers       []inventory.Identifier
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
func (n candidateSearch) load(ctx context.Context, records []int64) error {
	list, err := db.Collect[recordEvidenceRow](ctx, n.tx, "read evidence", `
		select r.id, r.source, r.base_class, r.default_ci::text as default_ci, r.created_at,
			greatest(r.seen_at, p.seen_at) as seen_at, r.liveness_dependent,
			p.seen_at as present_at, p.since, p.until, coalesce(p.stream <> $2, false) as connected,
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
		where r.id = any($1)`, records, uuid.UUID{})
	if err != nil {
		return err
	}
	for _, row := range list {
		if !n.at.IsZero() && slices.ContainsFunc(row.FirstSeen, n.at.Before) {
			return errLater
		}
		n.Evidence[row.ID] = n.recordEvidence(row)
		if row.CI != nil {
			n.assigned[row.ID] = currentAssignment{
				CI: *row.CI, Primary: *row.IsPrimary, PreviousCIs: row.PreviousCIs, Rule: row.Rule,
				LivenessDependent: row.LivenessDependent, Retired: row.Retired, Disposed: row.Disposed,
			}
		}
	}
	return nil
}

// recordEvidence returns a record as the identification rules see it. A record that is updated in
// this transaction is observed at its instant.
func (n candidateSearch) recordEvidence(row recordEvidenceRow) inventory.RecordEvidence {
	evidence := inventory.RecordEvidence{
		Record: row.ID, Source: row.Source, BaseClass: row.BaseClass, DefaultCI: row.DefaultCI,
		CreatedAt: row.CreatedAt,
	}
	if row.SeenAt != nil {
		evidence.SeenAt = *row.SeenAt
	}
	if n.updated[row.ID] && n.at.After(evidence.SeenAt) {
		evidence.SeenAt = n.at
	}
	evidence = identify.WithHistory(evidence, identifierHistory(row.Identifiers, row.FirstSeen, row.LastSeen))
	switch {
	case row.Since == nil && n.updated[row.ID] && row.Source == inventory.SourceAgent:
		return identify.WithFirstSession(evidence)
	case row.Since == nil:
		return evidence
	}
	session := inventory.Session{Since: *row.Since, Until: *row.Until, Connected: row.Connected}
	return identify.WithSession(evidence, session, *row.PresentAt)
}

// identifierHistory joins the columns of a record's evidence. FirstSeen may have one element for
// all identifiers, and lastSeen none.
func identifierHistory(
	identifiers []inventory.Identifier, firstSeen []time.Time, lastSeen []*time.Time,
) []inventory.IdentifierHistory {
	history := make([]inventory.IdentifierHistory, len(identifiers))
	for i, identifier := range identifiers {
		history[i] = inventory.IdentifierHistory{
			Identifier: identifier, FirstSeen: firstSeen[min(i, len(firstSeen)-1)],
		}
		if lastSeen != nil {
			history[i].LastSeen = lastSeen[i]
		}
	}
	return history
}
