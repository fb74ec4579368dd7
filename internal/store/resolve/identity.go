package resolve

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// Identity returns why records are one CI, as it was known at an instant (zero: now).
func (s *Store) Identity(ctx context.Context, id string, asOf time.Time) (inventory.Identity, error) {
	answer := inventory.Identity{
		Records: []inventory.IdentityRecord{}, Constraints: []inventory.ConstraintRecord{},
		Decisions: []inventory.Decision{}, Reviews: []inventory.Review{}, Findings: []inventory.FindingRecord{},
	}
	err := s.Read(ctx, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"as_of": db.Instant(inventory.Page{AsOf: asOf})}
		ci, err := cmdb.FindCI(ctx, tx, id, inventory.Page{AsOf: asOf})
		if err != nil {
			return err
		}
		answer.CI, args["ci"] = ci.ID, ci.ID
		for _, part := range []func(context.Context, pgx.Tx, pgx.NamedArgs, *inventory.Identity) error{
			identityRecords, identityDecisions, identityConstraints, identityReviews, identityFindings,
		} {
			if err := part(ctx, tx, args, &answer); err != nil {
				return err
			}
		}
		return nil
	})
	answer.Text = inWords(answer)
	return answer, err
}

// identityMembers are the records that were a CI at an instant.
const identityMembers = `(
	select m.record_id from assignment m where m.ci_id = @ci and m.valid_from <= @as_of and m.valid_to > @as_of)`

type identityRow struct {
	ID           int64
	Source       string
	Label        string
	NativeKey    []byte
	CreatedAt    time.Time
	LastSeen     *time.Time
	IsPrimary    bool
	Identifiers  []inventory.Identifier
	FirstSeen    []time.Time
	LastReported []*time.Time
	Rejected     []byte
}

func identityRecords(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, to *inventory.Identity) error {
	asOf, _ := args["as_of"].(time.Time)
	return db.ForEach(ctx, tx, "read records of ci", `
		select r.id, r.source, r.label, r.native_key, r.created_at, m.is_primary,
			case when `+db.IsNow+` then greatest(r.seen_at, p.seen_at) end as last_seen,
			e.identifiers, e.first_seen, e.last_seen as last_reported,
			case when `+db.IsNow+` then coalesce(e.rejected, '[]') else '[]' end as rejected
		from assignment m
		join source_record r on r.id = m.record_id
		left join presence p on p.record_id = r.id
		left join evidence e on e.record_id = r.id
		where m.ci_id = @ci and m.valid_from <= @as_of and m.valid_to > @as_of
		order by r.created_at, r.id`, args, func(row identityRow) error {
		record := inventory.IdentityRecord{
			Record: row.ID, Source: row.Source, NativeKey: row.Label, FirstSeen: row.CreatedAt, LastSeen: row.LastSeen,
			Primary: row.IsPrimary, Identifiers: []inventory.IdentifierHistory{}, Rejected: []inventory.Rejection{},
		}
		if record.NativeKey == "" {
			record.NativeKey = hex.EncodeToString(row.NativeKey)
		}
		for _, h := range identifierHistory(row.Identifiers, row.FirstSeen, row.LastReported) {
			if h.FirstSeen.After(asOf) {
				continue
			}
			if h.LastSeen != nil && h.LastSeen.After(asOf) {
				h.LastSeen = nil
			}
			record.Identifiers = append(record.Identifiers, h)
		}
		if err := json.Unmarshal(row.Rejected, &record.Rejected); err != nil {
			return err
		}
		to.Records = append(to.Records, record)
		return nil
	})
}

type decisionRow struct {
	ID       int64
	At       time.Time
	Record   int64
	Action   string
	OldCi    string
	NewCi    string
	Rule     string
	Reason   []byte
	Actor    string
	Note     string
	UndoneAt *time.Time
	UndoneBy string
	UndoNote string
}

func identityDecisions(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, to *inventory.Identity) error {
	return db.ForEach(ctx, tx, "read decisions", `
		select d.id, d.at, d.record_id as record, d.action, coalesce(d.old_ci::text, '') as old_ci,
			d.new_ci::text as new_ci, d.rule, d.reason, d.actor, coalesce(done.reason, '') as note,
			case when d.undone_at <= @as_of then d.undone_at end as undone_at,
			coalesce(undone.actor, '') as undone_by, coalesce(undone.reason, '') as undo_note
		from identity_decision d
		left join audit_entry done on done.at = d.at
		left join audit_entry undone on undone.at = d.undone_at and d.undone_at <= @as_of
		where d.at <= @as_of and (d.new_ci = @ci or d.old_ci = @ci or d.record_id in `+identityMembers+`)
		order by d.at desc, d.id desc
		limit 200`, args, func(row decisionRow) error {
		d := inventory.Decision{
			ID: row.ID, At: row.At, Record: row.Record, Action: row.Action, OldCI: row.OldCi, NewCI: row.NewCi,
			Rule: row.Rule, Actor: row.Actor, Note: row.Note,
			UndoneAt: row.UndoneAt, UndoneBy: row.UndoneBy, UndoNote: row.UndoNote,
		}
		if err := json.Unmarshal(row.Reason, &d.Reason); err != nil {
			return err
		}
		d.Text = identify.Explain(d.Reason)
		to.Decisions = append(to.Decisions, d)
		return nil
	})
}

func identityConstraints(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, to *inventory.Identity) error {
	return db.ForEach(ctx, tx, "read constraints", `
		select c.id::text as id, c.linked, c.record_a, c.record_b, c.origin, c.actor, c.reason, c.created_at,
			case when c.revoked_at <= @as_of then c.revoked_at end as revoked_at
		from identity_constraint c
		where c.created_at <= @as_of and (c.record_a in `+identityMembers+` or c.record_b in `+identityMembers+`)
		order by c.created_at, c.id
		limit 200`, args, func(c inventory.ConstraintRecord) error {
		to.Constraints = append(to.Constraints, c)
		return nil
	})
}

func identityReviews(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, to *inventory.Identity) error {
	return cmdb.EachReview(ctx, tx, `
		v.opened_at <= @as_of and (v.record_a in `+identityMembers+` or v.record_b in `+identityMembers+`)
		order by v.opened_at, v.id
		limit 200`, args, func(review inventory.Review) error {
		to.Reviews = append(to.Reviews, review)
		return nil
	})
}

func identityFindings(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, to *inventory.Identity) error {
	return db.ForEach(ctx, tx, "read findings", `
		select f.type, f.records, f.identifier, f.text, f.opened_at,
			case when f.closed_at <= @as_of then f.closed_at end as closed_at
		from finding f
		where f.opened_at <= @as_of and f.records && array`+identityMembers+`
		order by f.opened_at, f.id
		limit 200`, args, func(f inventory.FindingRecord) error {
		to.Findings = append(to.Findings, f)
		return nil
	})
}

// inWords returns a text with the last decision about each record.
func inWords(answer inventory.Identity) string {
	if len(answer.Records) == 0 {
		return "No source record belongs to it any more."
	}
	var lines []string
	for _, record := range answer.Records {
		line := fmt.Sprintf("Record %d (%s).", record.Record, record.Source)
		i := slices.IndexFunc(answer.Decisions, func(d inventory.Decision) bool {
			return d.Record == record.Record && d.NewCI == answer.CI
		})
		if i >= 0 {
			line = fmt.Sprintf("Record %d (%s): %s", record.Record, record.Source, answer.Decisions[i].Text)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
