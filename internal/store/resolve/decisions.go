package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// decisionRows gathers decisions.
type decisionRows struct {
	records []int64
	actions []string
	oldCIs  []*string
	newCIs  []string
	rules   []string
	reasons []string
}

func (d *decisionRows) add(record int64, action, oldCI, newCI, rule, reason string) {
	d.records, d.actions = append(d.records, record), append(d.actions, action)
	var old *string
	if oldCI != "" {
		old = &oldCI
	}
	d.oldCIs, d.newCIs = append(d.oldCIs, old), append(d.newCIs, newCI)
	d.rules, d.reasons = append(d.rules, rule), append(d.reasons, reason)
}

func (d *decisionRows) queue(batch *pgx.Batch, at time.Time, actor string) {
	if len(d.records) == 0 {
		return
	}
	batch.Queue(`
		insert into identity_decision (at, record_id, action, old_ci, new_ci, rule, reason, actor)
		select $7, n.*, $8
		from unnest($1::bigint[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::jsonb[]) n`,
		d.records, d.actions, d.oldCIs, d.newCIs, d.rules, d.reasons, at, actor)
}

// syncReviews opens the wanted reviews and closes the other open ones between the records.
func (r *resolution) syncReviews(ctx context.Context, records []int64, wanted []inventory.ReviewCase) error {
	if len(wanted) == 0 && r.allIsolated(records) {
		return nil
	}
	type reviewPair struct {
		ID               string
		RecordA, RecordB int64
	}
	pairs, err := db.Collect[reviewPair](ctx, r.tx, "read open reviews", `
		select id::text as id, record_a, record_b from review
		where closed_at is null and record_a = any($1) and record_b = any($1)`, records)
	if err != nil {
		return err
	}
	open := map[[2]int64]string{}
	for _, p := range pairs {
		open[[2]int64{p.RecordA, p.RecordB}] = p.ID
	}
	batch := &pgx.Batch{}
	for _, w := range wanted {
		pair := [2]int64{w.A, w.B}
		if _, ok := open[pair]; ok {
			delete(open, pair)
			continue
		}
		if err := r.openReview(batch, w); err != nil {
			return err
		}
		if w.Type == inventory.ReviewLiveAgents {
			r.queueConflict(batch, w.A, w.B)
		}
	}
	for _, id := range open {
		batch.Queue(`update review set closed_at = $2, verdict = 'obsolete' where id = $1`, id, r.at)
	}
	return r.send(ctx, "write reviews", batch)
}

func (r *resolution) openReview(batch *pgx.Batch, w inventory.ReviewCase) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make review id: %w", err)
	}
	reason, err := json.Marshal(w.Reason)
	if err != nil {
		return fmt.Errorf("encode reason: %w", err)
	}
	batch.Queue(`
		insert into review (id, type, record_a, record_b, reason, opened_at) values ($1, $2, $3, $4, $5::jsonb, $6)
		on conflict do nothing`, id, w.Type, w.A, w.B, string(reason), r.at)
	return nil
}

// syncFindings opens the wanted findings and closes the other open ones about these records alone:
// the conflicts of values, or those of a partition.
func (r *resolution) syncFindings(
	ctx context.Context, records []int64, wanted []inventory.Finding, conflicts bool,
) error {
	if len(wanted) == 0 && r.allIsolated(records) {
		return nil
	}
	type findingRow struct {
		ID         int64
		Type       string
		Identifier string
		Records    []int64
	}
	open, err := db.Collect[findingRow](ctx, r.tx, "read open findings", `
		select id, type, identifier, records from finding
		where closed_at is null and records <@ $1::bigint[] and records && $1::bigint[]
			and type <> all($2::text[]) and (type = $3) = $4`,
		records, []string{inventory.FindingSharedComponent, inventory.FindingReturned},
		inventory.FindingAttributeConflict, conflicts)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, w := range wanted {
		slices.Sort(w.Records)
		i := slices.IndexFunc(open, func(f findingRow) bool {
			return f.Type == w.Type && f.Identifier == string(w.Identifier) && slices.Equal(f.Records, w.Records)
		})
		if i >= 0 {
			open = slices.Delete(open, i, i+1)
			continue
		}
		r.openFinding(batch, w)
	}
	for _, f := range open {
		batch.Queue(`update finding set closed_at = $2 where id = $1`, f.ID, r.at)
	}
	return r.send(ctx, "write findings", batch)
}

func (r *resolution) openFinding(batch *pgx.Batch, f inventory.Finding) {
	batch.Queue(`
		insert into finding (type, records, identifier, text, opened_at) values ($1, $2, $3, $4, $5)
		on conflict do nothing`, f.Type, f.Records, string(f.Identifier), f.Text, r.at)
}

// allIsolated reports whether records are all isolated: no review or finding is about them yet.
func (r *resolution) allIsolated(records []int64) bool {
	return !slices.ContainsFunc(records, func(record int64) bool { return !r.isolated[record] })
}
