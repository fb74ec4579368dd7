package api

import (
	"context"
	"net/http"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

type baselineStore interface {
	Baselines(ctx context.Context) ([]inventory.Baseline, error)
	Baseline(ctx context.Context, id string) (inventory.Baseline, error)
	CreateBaseline(ctx context.Context, b inventory.Baseline) (inventory.Baseline, error)
	DeleteBaseline(ctx context.Context, id string) error
	Diff(ctx context.Context, q inventory.BaselineDiff, visit inventory.Visit[inventory.CIDiff]) error
	DiffSummary(ctx context.Context, q inventory.BaselineDiff) (inventory.DiffSummary, error)
}

// BaselinesInput asks for the baselines.
type BaselinesInput struct{ Paging }

// BaselinePath names a baseline.
type BaselinePath struct {
	ID string `path:"id" format:"uuid" doc:"The baseline's id."`
}

// NewBaselineInput makes a baseline.
type NewBaselineInput struct {
	Body struct {
		Name  string     `json:"name" minLength:"1" maxLength:"200" example:"Year end 2026"`
		At    *time.Time `json:"at,omitempty" doc:"The instant; absent: now."`
		Class string     `json:"class,omitempty" maxLength:"63" example:"computer" doc:"Only CIs of this class and those below it."`
	}
}

// BaselineOutput answers with a baseline.
type BaselineOutput struct{ Body inventory.Baseline }

const baselineTag = "Baselines"

func (s *server) registerBaselines() {
	const path = "/api/v1/baselines"
	list := s.operation(http.MethodGet, path, "list-baselines", baselineTag, "List baselines")
	list.Description = "By their instants, the earliest first."
	handleList(s, list, func(_ context.Context, in *BaselinesInput) (listing[inventory.Baseline], error) {
		return whole(in.Paging, "baselines", s.Store.Baselines, func(b inventory.Baseline) string {
			return b.At.UTC().Format(sortableTime) + " " + b.ID
		}), nil
	})

	create := s.operation(http.MethodPost, path, "create-baseline", baselineTag, "Make a baseline")
	create.Description = "An instant with a name. It takes no room, and can be made of the past. " +
		`E.g. {"name": "Year end 2026", "at": "2026-12-31T23:00:00Z", "class": "computer"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createBaseline)

	get := s.operation(http.MethodGet, path+"/{id}", "get-baseline", baselineTag, "Get a baseline")
	get.Description = "What the estate was then, every read says with as_of set to the baseline's instant."
	handle(s, get, func(ctx context.Context, in *BaselinePath) (*BaselineOutput, error) {
		baseline, err := s.baseline(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &BaselineOutput{Body: baseline}, nil
	})

	remove := s.operation(http.MethodDelete, path+"/{id}", "delete-baseline", baselineTag, "Delete a baseline")
	remove.Description = "The name goes; the history stays."
	handle(s, remove, func(ctx context.Context, in *BaselinePath) (*struct{}, error) {
		id, err := parseID("path.id", in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.Store.DeleteBaseline(ctx, id)
	})
}

// sortableTime is a layout in which earlier times in UTC come first, by the microsecond.
const sortableTime = "2006-01-02T15:04:05.000000Z"

func (s *server) createBaseline(ctx context.Context, in *NewBaselineInput) (*BaselineOutput, error) {
	if err := checkTexts("body.name", in.Body.Name, "body.class", in.Body.Class); err != nil {
		return nil, err
	}
	baseline := inventory.Baseline{Name: in.Body.Name, Class: in.Body.Class, CreatedBy: actor(ctx, "").Name}
	var err error
	switch at := in.Body.At; {
	case at == nil:
		baseline.At, err = s.Store.Now(ctx)
	case at.IsZero():
		err = invalid("body.at", "the instant is before the first inventory; give a later one")
	default:
		baseline.At, err = s.visible(ctx, "body.at", Moment{*at})
	}
	if err != nil {
		return nil, err
	}
	if baseline, err = s.Store.CreateBaseline(ctx, baseline); err != nil {
		return nil, err
	}
	return &BaselineOutput{Body: baseline}, nil
}

func (s *server) baseline(ctx context.Context, id string) (inventory.Baseline, error) {
	canonical, err := parseID("path.id", id)
	if err != nil {
		return inventory.Baseline{}, err
	}
	return s.Store.Baseline(ctx, canonical)
}
