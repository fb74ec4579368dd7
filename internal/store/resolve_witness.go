package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

type witnessRow struct {
	ID        int64
	Source    string
	Kind      string
	Home      string
	CreatedAt time.Time
	SeenAt    *time.Time
	Unsettled bool
	Tokens    []string
	FirstSeen []time.Time
	LastSeen  []*time.Time
	CI        *string
	Shown     *bool
	Departed  []string
	Rule      string
	Retired   bool
	Gone      bool
}

// load reads witnesses.
func (n *nearby) load(ctx context.Context, records []int64) error {
	rows, err := n.tx.Query(ctx, `
		select r.id, r.source, r.kind, r.home::text as home, r.created_at, greatest(r.seen_at, p.seen_at) as seen_at, r.unsettled,
		       e.tokens, e.first_seen, e.last_seen, m.ci_id::text as ci, m.shown, m.departed::text[] as departed, coalesce(d.rule, '') as rule,
		       c.retired_at is not null as retired, coalesce(c.gone, false) as gone
		from source_record r
		left join presence p on p.record_id = r.id
		left join evidence e on e.record_id = r.id
		left join membership m on m.record_id = r.id and m.valid_to = 'infinity'
		left join ci c on c.id = m.ci_id
		left join lateral (
			select d.rule from identity_decision d where d.record_id = r.id order by d.at desc, d.id desc limit 1
		) d on m.ci_id is not null
		where r.id = any($1)`, records)
	if err != nil {
		return fmt.Errorf("read witnesses: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[witnessRow])
	if err != nil {
		return fmt.Errorf("read witnesses: %w", err)
	}
	for _, row := range list {
		n.witnesses[row.ID] = n.witness(row)
		if row.CI != nil {
			n.placed[row.ID] = placed{
				CI: *row.CI, Shown: *row.Shown, Departed: row.Departed, Rule: row.Rule, Unsettled: row.Unsettled, Retired: row.Retired,
				Gone: row.Gone,
			}
		}
	}
	return nil
}

// witness gives a record as identity sees it. What speaks now is heard of now; when others were last heard of is
// written down a moment later than what they said, so that nothing they said may be later than that.
func (n *nearby) witness(row witnessRow) inventory.RecordEvidence {
	seen := row.CreatedAt
	later := func(at *time.Time) {
		if at != nil && at.After(seen) {
			seen = *at
		}
	}
	later(row.SeenAt)
	if n.heard[row.ID] {
		later(&n.at)
	}
	for i := range row.Tokens {
		later(&row.FirstSeen[i])
		later(row.LastSeen[i])
	}
	w := inventory.RecordEvidence{
		Record: row.ID, Source: row.Source, BaseClass: row.Kind, CreatedAt: row.CreatedAt, SeenAt: seen, DefaultCI: row.Home,
	}
	for i, token := range row.Tokens {
		claim := inventory.IdentifierInterval{Identifier: inventory.Identifier(token), First: row.FirstSeen[i], Last: seen}
		if last := row.LastSeen[i]; last != nil {
			// The word that ended it was the first one without it.
			claim.Last = last.Add(-time.Microsecond)
		}
		w.Identifiers = append(w.Identifiers, claim)
	}
	return w
}
