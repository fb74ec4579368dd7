package cmdb

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
	left join assignment a on a.record_id = v.record_a and ` + atPage("a") + `
	left join ci_version na on na.ci_id = a.ci_id and ` + atPage("na") + `
	left join assignment b on b.record_id = v.record_b and ` + atPage("b") + `
	left join ci_version nb on nb.ci_id = b.ci_id and ` + atPage("nb")

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

	CiA, ClassA, NameA string
	CiB, ClassB, NameB string
}

func (row reviewRow) review() (inventory.Review, error) {
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
	condition := strings.Join(where, ` and `) + ` order by v.opened_at, v.id limit @limit`
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		return EachReview(ctx, tx, condition, args, func(review inventory.Review) error {
			return visit(review, inventory.Position{review.OpenedAt.UTC().Format(time.RFC3339Nano), review.ID})
		})
	})
}

// EachReview calls visit with each review that meets a condition. The condition names the review v,
// and an order and a limit may follow it. The reviews are as they were at the argument @as_of.
func EachReview(
	ctx context.Context, q db.Querier, condition string, args pgx.NamedArgs, visit func(inventory.Review) error,
) error {
	sql := `select ` + reviewColumns + ` from ` + reviewFrom + ` where ` + condition
	return db.ForEach(ctx, q, "read reviews", sql, args, func(row reviewRow) error {
		review, err := row.review()
		if err != nil {
			return err
		}
		return visit(review)
	})
}

// FindReview returns a review as it is now, or an inventory.Error with CodeNotFound.
func FindReview(ctx context.Context, q db.Querier, id string) (inventory.Review, error) {
	var review inventory.Review
	args := pgx.NamedArgs{"id": id, "as_of": db.EndOfTime}
	err := EachReview(ctx, q, `v.id = @id`, args, func(found inventory.Review) error {
		review = found
		return nil
	})
	if err == nil && review.ID == "" {
		err = db.NotFound("there is no review %s", id)
	}
	return review, err
}
