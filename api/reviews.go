package api

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

type reviewStore interface {
	ListReviews(ctx context.Context, q inventory.ReviewQuery, visit inventory.Visit[inventory.Review]) error
	DecideReview(ctx context.Context, id string, accept bool, actor inventory.Actor) (inventory.Review, error)
}

// ReviewsInput asks for a list of reviews.
type ReviewsInput struct {
	ListParams

	State string `query:"state" enum:"open,closed,all" default:"open" doc:"Only reviews in this state."`
}

// ReviewInput decides a review.
type ReviewInput struct {
	ID string `path:"id" format:"uuid" doc:"The review's id."`
	ReasonBody
}

// ReviewOutput answers with a review.
type ReviewOutput struct{ Body inventory.Review }

func (s *server) registerReviews() {
	reviews := tableOf[inventory.Review]()
	list := s.operation(http.MethodGet, "/api/v1/reviews", "list-reviews", identityTag, "List reviews")
	list.Description = "Pairs of source records that may be one CI. A person decides. The oldest first."
	handleList(s, list, func(_ context.Context, in *ReviewsInput) (listing[inventory.Review], error) {
		query := inventory.ReviewQuery{State: in.State}
		if query.State == "all" {
			query.State = ""
		}
		return listing[inventory.Review]{
			params: &in.ListParams, name: "reviews", table: reviews,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.Review]) error {
				query.Page = page
				return s.Store.ListReviews(ctx, query, visit)
			},
		}, nil
	})

	accept := s.operation(
		http.MethodPost,
		"/api/v1/reviews/{id}/accept",
		"accept-review",
		identityTag,
		"Accept a review: the records are one CI",
	)
	accept.Description = `The records are one CI from now on. E.g. {"reason": "the board was replaced, see the ticket"}.`
	handle(s, accept, s.decideReview(true))

	separate := s.operation(
		http.MethodPost,
		"/api/v1/reviews/{id}/keep-separate",
		"keep-review-separate",
		identityTag,
		"Keep the records of a review separate",
	)
	separate.Description = `The records are never one CI from now on. E.g. {"reason": "two machines of one batch"}.`
	handle(s, separate, s.decideReview(false))
}

func (s *server) decideReview(accept bool) func(context.Context, *ReviewInput) (*ReviewOutput, error) {
	return func(ctx context.Context, in *ReviewInput) (*ReviewOutput, error) {
		id, err := parseID("path.id", in.ID)
		if err != nil {
			return nil, err
		}
		if err := checkText("body.reason", in.Body.Reason); err != nil {
			return nil, err
		}
		review, err := s.Store.DecideReview(ctx, id, accept, actor(ctx, in.Body.Reason))
		if err != nil {
			return nil, err
		}
		return &ReviewOutput{Body: review}, nil
	}
}
