package api

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// GraphInput asks for what is around a CI.
type GraphInput struct {
	CIPath
	Instant

	Depth     int      `query:"depth" minimum:"1" maximum:"8" default:"2" doc:"How many relationships to follow, one after the other."`
	Direction string   `query:"direction" enum:"out,in,both" default:"both" doc:"out: from the CI; in: to the CI."`
	Types     []string `query:"types" maxItems:"50" nullable:"false" doc:"Only relationships of these types, with commas between them."`
	MaxNodes  int      `query:"max_nodes" minimum:"1" maximum:"5000" default:"1000" doc:"Where to stop; the answer says so."`
}

// ImpactInput asks for what suffers when a CI fails.
type ImpactInput struct {
	CIPath
	Instant

	Depth    int `query:"depth" minimum:"1" maximum:"8" default:"8" doc:"How many relationships to follow, one after the other."`
	MaxNodes int `query:"max_nodes" minimum:"1" maximum:"5000" default:"1000" doc:"Where to stop; the answer says so."`
}

// GraphOutput answers with a part of the estate.
type GraphOutput struct{ Body inventory.Graph }

func (s *server) registerGraph() {
	around := s.operation(http.MethodGet, "/api/v1/cis/{id}/graph", "get-ci-graph", relationshipTag, "Get what is around a CI")
	around.Description = "The CIs within some relationships of the CI, and the relationships between them. " +
		"E.g. ?depth=3&direction=out&types=contains,runs_on."
	handle(s, around, func(ctx context.Context, in *GraphInput) (*GraphOutput, error) {
		return s.graph(ctx, in.Instant, inventory.GraphQuery{
			CI: in.ID, Depth: in.Depth, Direction: in.Direction, Types: in.Types, MaxNodes: in.MaxNodes,
		})
	})

	impact := s.operation(http.MethodGet, "/api/v1/cis/{id}/impact", "get-ci-impact", relationshipTag, "Get what suffers when a CI fails")
	impact.Description = "Relationships are followed to the end that suffers, which their type says: see /api/v1/relationship-types."
	handle(s, impact, func(ctx context.Context, in *ImpactInput) (*GraphOutput, error) {
		return s.graph(ctx, in.Instant, inventory.GraphQuery{
			CI: in.ID, Depth: in.Depth, Direction: inventory.DirectionBoth, MaxNodes: in.MaxNodes, Impact: true,
		})
	})
}

func (s *server) graph(ctx context.Context, at Instant, query inventory.GraphQuery) (*GraphOutput, error) {
	var err error
	if query.AsOf, err = s.asOf(ctx, at); err != nil {
		return nil, err
	}
	graph, err := s.Store.Graph(ctx, query)
	if err != nil {
		return nil, err
	}
	graph.AsOf = echo(query.AsOf)
	return &GraphOutput{Body: graph}, nil
}
