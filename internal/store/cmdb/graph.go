package cmdb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

const (
	// defaultNodes is the bound of a graph whose query has none.
	defaultNodes = 1000
	// edgesPerNode bounds the relationships that a search reads in one step, for each node that the
	// graph may have.
	edgesPerNode = 20
)

// Graph returns the CIs within q.Depth relationships of a CI, the nearest first, and the
// relationships between them. In a truncated graph, too, every CI is connected to the first one.
func (s *Store) Graph(ctx context.Context, q inventory.GraphQuery) (inventory.Graph, error) {
	if err := checkGraph(&q); err != nil {
		return inventory.Graph{}, err
	}
	graph := inventory.Graph{}
	err := s.Read(ctx, func(tx pgx.Tx) error {
		search, err := newGraphSearch(ctx, tx, q)
		if err != nil {
			return err
		}
		if err := search.run(ctx); err != nil {
			return err
		}
		graph.Nodes, graph.Truncated = search.nodes, search.truncated
		graph.Edges, err = search.connected(ctx)
		return err
	})
	if err != nil {
		return inventory.Graph{}, err
	}
	if !q.AsOf.IsZero() {
		graph.AsOf = &q.AsOf
	}
	return graph, nil
}

func checkGraph(q *inventory.GraphQuery) error {
	if q.MaxNodes <= 0 {
		q.MaxNodes = defaultNodes
	}
	if q.Depth < 1 {
		return db.Invalid("the depth of a graph is at least 1")
	}
	switch q.Direction {
	case "":
		q.Direction = inventory.DirectionBoth
	case inventory.DirectionOut, inventory.DirectionIn, inventory.DirectionBoth:
	default:
		return db.Invalid("direction %q is none of %s, %s, %s", q.Direction,
			inventory.DirectionOut, inventory.DirectionIn, inventory.DirectionBoth)
	}
	return nil
}
