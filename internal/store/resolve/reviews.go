package resolve

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// DecideReview closes a review. If it is accepted, the two records are constrained to be one CI,
// otherwise never to be.
func (s *Store) DecideReview(
	ctx context.Context, id string, accept bool, actor inventory.Actor,
) (inventory.Review, error) {
	err := s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		review, err := cmdb.FindReview(ctx, r.tx, id)
		if err != nil {
			return err
		}
		if review.ClosedAt != nil {
			return db.Conflict("the review is closed: %s", review.Verdict)
		}
		verdict := "kept_separate"
		if accept {
			verdict = "accepted"
		}
		batch := &pgx.Batch{}
		batch.Queue(`update review set closed_at = $2, verdict = $3, actor = $4, note = $5 where id = $1`,
			id, r.at, verdict, actor.Name, actor.Reason)
		r.constrainPair(batch, review.RecordA, review.RecordB, accept, inventory.OriginReview)
		if err := r.send(ctx, "decide review", batch); err != nil {
			return err
		}
		if err := r.assign(ctx); err != nil || !accept {
			return err
		}
		_, err = r.oneCI(ctx, [][]int64{{review.RecordA}, {review.RecordB}})
		return err
	})
	if err != nil {
		return inventory.Review{}, err
	}
	var review inventory.Review
	err = s.Read(ctx, func(tx pgx.Tx) (err error) {
		review, err = cmdb.FindReview(ctx, tx, id)
		return err
	})
	return review, err
}
