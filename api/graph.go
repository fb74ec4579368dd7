package api

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

// GraphInput asks for the CIs around a CI.
type GraphInput struct {
	CIPath
	Instant

	Depth     int      `query:"depth" minimum:"1" maximum:"8" default:"2" doc:"The length of the longest path, in relationships."`
	Direction string   `query:"direction" enum:"out,in,both" default:"both" doc:"out: from the CI; in: to the CI."`
	Types     []string `query:"types" maxItems:"50" nullable:"false" doc:"Only relationships of these types, separated by commas."`
	MaxNodes  int      `query:"max_nodes" minimum:"1" maximum:"5000" default:"1000" doc:"The largest number of CIs in the answer. If there are more, truncated is true."`
}

// ImpactInput asks for the CIs that are affected when a CI fails.
type ImpactInput struct {
	CIPath
	Instant

	Depth    int `query:"depth" minimum:"1" maximum:"8" default:"8" doc:"The length of the longest path, in relationships."`
	MaxNodes int `query:"max_nodes" minimum:"1" maximum:"5000" default:"1000" doc:"The largest number of CIs in the answer. If there are more, truncated is true."`
}

// GraphOutput answers with a graph of CIs.
type GraphOutput struct{ Body inventory.Graph }

func (s *server) registerGraph() {
	around := s.operation(
		http.MethodGet, "/api/v1/cis/{id}/graph", "get-ci-graph", relationshipTag, "Get the graph around a CI",
	)
	around.Description = "The CIs within depth relationships of the CI, and the relationships between them. " +
		"E.g. ?depth=3&direction=out&types=contains,runs_on."
	handle(s, around, func(ctx context.Context, in *GraphInput) (*GraphOutput, error) {
		return s.graph(ctx, in.Instant, inventory.GraphQuery{
			CI: in.ID, Depth: in.Depth, Direction: in.Direction, Types: in.Types, MaxNodes: in.MaxNodes,
		})
	})

	impact := s.operation(
		http.MethodGet, "/api/v1/cis/{id}/impact", "get-ci-impact", relationshipTag,
		"Get the CIs affected when a CI fails",
	)
	impact.Description = "Follows each relationship to the end that is affected, see impact in " +
		"/api/v1/relationship-types."
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
