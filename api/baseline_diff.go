package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
)

// AgainstParam names the instant that a baseline is compared with.
type AgainstParam struct {
	Against string `query:"against" maxLength:"64" default:"now" example:"2026-06-30T22:00:00Z" doc:"now, an instant (RFC 3339), or the id of another baseline."`
}

// BaselineDiffInput asks how CIs differ between a baseline and another instant.
type BaselineDiffInput struct {
	BaselinePath
	AgainstParam

	Items bool `query:"items" doc:"Include the items that differ, not only their number."`
	Paging
}

// BaselineSummaryInput asks for the number of differences.
type BaselineSummaryInput struct {
	BaselinePath
	AgainstParam
}

// BaselineSummaryOutput answers with the number of differences.
type BaselineSummaryOutput struct{ Body inventory.DiffSummary }

func (s *server) registerBaselineDiff() {
	const path = "/api/v1/baselines/{id}"
	diffs := tableOf[inventory.CIDiff]()
	list := s.operation(http.MethodGet, path+"/diff", "get-baseline-diff", baselineTag, "Compare a baseline")
	list.Description = "The CIs of the baseline's class that differ, always from the earlier instant to the later " +
		"one. " +
		"E.g. ?against=now&items=true."
	handleList(s, list, func(ctx context.Context, in *BaselineDiffInput) (listing[inventory.CIDiff], error) {
		query, err := s.baselineDiff(ctx, in.ID, in.Against)
		if err != nil {
			return listing[inventory.CIDiff]{}, err
		}
		query.ChangedItems = in.Items
		return listing[inventory.CIDiff]{
			params: &ListParams{Paging: in.Paging}, name: "baseline-diff", table: diffs,
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.CIDiff]) error {
				return s.listDiff(ctx, query, page, visit)
			},
		}, nil
	})

	sum := s.operation(http.MethodGet, path+"/summary", "get-baseline-summary", baselineTag, "Summarize a comparison")
	sum.Description = "The numbers of CIs and items that differ."
	handle(s, sum, func(ctx context.Context, in *BaselineSummaryInput) (*BaselineSummaryOutput, error) {
		query, err := s.baselineDiff(ctx, in.ID, in.Against)
		if err != nil {
			return nil, err
		}
		summary, err := s.Store.DiffSummary(ctx, query)
		if err != nil {
			return nil, err
		}
		return &BaselineSummaryOutput{Body: summary}, nil
	})
}

func (s *server) baselineDiff(ctx context.Context, id, against string) (inventory.BaselineDiff, error) {
	baseline, err := s.baseline(ctx, id)
	if err != nil {
		return inventory.BaselineDiff{}, err
	}
	other, err := s.against(ctx, against)
	if err != nil {
		return inventory.BaselineDiff{}, err
	}
	query := inventory.BaselineDiff{From: baseline.At, To: other, Class: baseline.Class}
	if query.To.Before(query.From) {
		query.From, query.To = query.To, query.From
	}
	return query, nil
}

func (s *server) against(ctx context.Context, text string) (time.Time, error) {
	if text == "now" {
		now, err := s.Store.Now(ctx)
		if err != nil {
			return time.Time{}, err
		}
		return now, s.Store.WaitUntilVisible(ctx, now)
	}
	if id, err := uuid.Parse(text); err == nil {
		other, err := s.Store.Baseline(ctx, id.String())
		return other.At, err
	}
	var at Moment
	if at.UnmarshalText([]byte(text)) != nil {
		return time.Time{}, invalid(
			"query.against", "expected now, a date and time such as 2026-01-31T12:00:00Z, or the id of a baseline",
		)
	}
	return s.visible(ctx, "query.against", at)
}

// listDiff keeps the later instant in the positions, so that all pages of a comparison with now
// compare with the instant of the first page.
func (s *server) listDiff(
	ctx context.Context, query inventory.BaselineDiff, page inventory.Page, visit inventory.Visit[inventory.CIDiff],
) error {
	query.Page = page
	if len(page.After) > 0 {
		to, err := time.Parse(sortableTime, page.After[0])
		if err != nil || to.Before(query.From) || to.After(query.To) || len(page.After) == 1 {
			return invalid("query.page_token", "the page token is malformed; start again without it")
		}
		query.To, query.After = to, page.After[1:]
	}
	to := query.To.UTC().Format(sortableTime)
	return s.Store.Diff(ctx, query, func(row inventory.CIDiff, at inventory.Position) error {
		return visit(row, append(inventory.Position{to}, at...))
	})
}
