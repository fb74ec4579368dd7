package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// reviewColumns are those of a review as it was at an instant, with the CIs that the two records
// were then.
const reviewColumns = `
	v.id::text as id, v.type, v.record_a, v.record_b, v.reason, v.opened_at,
	case when ` + reviewClosed + ` then v.closed_at end as closed_at,
	case when ` + reviewClosed + ` then coalesce(v.verdict, '') else '' end as verdict,
	case when ` + reviewClosed + ` then coalesce(v.actor, '') else '' end as actor,
	case when ` + reviewClosed + ` then coalesce(v.note, '') else '' end as note,
	coalesce(a.ci_id::text, '') as ci_a, coalesce(na.class, '') as class_a, coalesce(na.name, '') as name_a,
	coalesce(b.ci_id::text, '') as ci_b, coalesce(nb.class, '') as class_b, coalesce(nb.name, '') as name_b`

const reviewClosed = `coalesce(v.closed_at <= @as_of, false)`

var reviewFrom = `
	review v
	left join assignment a on a.record_id = v.record_a and ` + cmdb.AtPage("a") + `
	left join ci_version na on na.ci_id = a.ci_id and ` + cmdb.AtPage("na") + `
	left join assignment b on b.record_id = v.record_b and ` + cmdb.AtPage("b") + `
	left join ci_version nb on nb.ci_id = b.ci_id and ` + cmdb.AtPage("nb")

type reviewRow struct {
	ID               string
	Type             string
	RecordA, RecordB int64
	Reason           []byte
	OpenedAt         time.Time
	ClosedAt         *time.Time
	Verdict          string
	Actor            string
	Note             string
	CiA, ClassA      string
	NameA            string
	CiB, ClassB      string
	NameB            string
}

func (s *Store) review(row reviewRow) (inventory.Review, error) {
	v := inventory.Review{
		ID: row.ID, Type: row.Type, RecordA: row.RecordA, RecordB: row.RecordB,
		CIA:      inventory.CIRef{ID: row.CiA, Class: row.ClassA, Name: row.NameA},
		CIB:      inventory.CIRef{ID: row.CiB, Class: row.ClassB, Name: row.NameB},
		OpenedAt: row.OpenedAt, ClosedAt: row.ClosedAt, Verdict: row.Verdict, Actor: row.Actor, Note: row.Note,
	}
	if err := json.Unmarshal(row.Reason, &v.Reason); err != nil {
		return v, fmt.Errorf("read reason of review: %w", err)
	}
	v.Text = identify.Explain(v.Reason)
	return v, nil
}

// ListReviews lists reviews, the oldest first. Their positions are the time of opening and the id.
func (s *Store) ListReviews(
	ctx context.Context, q inventory.ReviewQuery, visit inventory.Visit[inventory.Review],
) error {
	where := []string{`v.opened_at <= @as_of`}
	args := pgx.NamedArgs{"as_of": db.Instant(q.Page), "limit": db.Limit(q.Page)}
	switch q.State {
	case "open":
		where = append(where, `not `+reviewClosed)
	case "closed":
		where = append(where, reviewClosed)
	}
	if q.CI != "" {
		where = append(where, `(a.ci_id = @ci or b.ci_id = @ci)`)
		args["ci"] = q.CI
	}
	if q.After != nil {
		if len(q.After) != 2 {
			return db.ErrPosition
		}
		at, err := time.Parse(time.RFC3339Nano, q.After[0])
		if err != nil {
			return db.ErrPosition
		}
		id, err := uuid.Parse(q.After[1])
		if err != nil {
			return db.ErrPosition
		}
		where = append(where, `(v.opened_at, v.id) > (@after_at, @after_id)`)
		args["after_at"], args["after_id"] = at, id
	}
	sql := `select ` + reviewColumns + ` from ` + reviewFrom + ` where ` + strings.Join(where, ` and `) + `
		order by v.opened_at, v.id limit @limit`
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		return db.Each(ctx, tx, sql, args, func(row reviewRow) error {
			review, err := s.review(row)
			if err != nil {
				return err
			}
			return visit(review, inventory.Position{row.OpenedAt.UTC().Format(time.RFC3339Nano), row.ID})
		})
	})
}

func reviewNow(ctx context.Context, tx pgx.Tx, id string) (row reviewRow, found bool, err error) {
	return db.One[reviewRow](ctx, tx, `select `+reviewColumns+` from `+reviewFrom+` where v.id = @id`,
		pgx.NamedArgs{"id": id, "as_of": db.EndOfTime})
}

// DecideReview closes a review. If it is accepted, the two records are constrained to be one CI,
// otherwise never to be.
func (s *Store) DecideReview(
	ctx context.Context, id string, accept bool, actor inventory.Actor,
) (inventory.Review, error) {
	err := s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		row, found, err := reviewNow(ctx, r.tx, id)
		switch {
		case err != nil:
			return fmt.Errorf("read review: %w", err)
		case !found:
			return db.NotFound("there is no review %s", id)
		case row.ClosedAt != nil:
			return db.Conflict("the review is closed: %s", row.Verdict)
		}
		verdict := "kept_separate"
		if accept {
			verdict = "accepted"
		}
		batch := &pgx.Batch{}
		batch.Queue(`update review set closed_at = $2, verdict = $3, actor = $4, note = $5 where id = $1`,
			id, r.at, verdict, actor.Name, actor.Reason)
		r.constrainPair(batch, row.RecordA, row.RecordB, accept, inventory.OriginReview)
		if err := r.send(ctx, "decide review", batch); err != nil {
			return err
		}
		if err := r.assign(ctx); err != nil || !accept {
			return err
		}
		_, err = r.oneCI(ctx, [][]int64{{row.RecordA}, {row.RecordB}})
		return err
	})
	if err != nil {
		return inventory.Review{}, err
	}
	var review inventory.Review
	err = s.Read(ctx, func(tx pgx.Tx) error {
		row, _, err := reviewNow(ctx, tx, id)
		if err != nil {
			return fmt.Errorf("read review: %w", err)
		}
		review, err = s.review(row)
		return err
	})
	return review, err
}
