package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	// defaultNodes is where a graph stops that does not say where.
	defaultNodes = 1000
	// edgesPerNode bounds the relationships of a graph by the number of its CIs.
	edgesPerNode = 20
)

// Graph gives the CIs within some relationships of a CI, in the order of their distance, and the relationships between
// them, those between two of the farthest included. A graph that was cut holds no CI without a way to the first.
func (s *Store) Graph(ctx context.Context, q inventory.GraphQuery) (inventory.Graph, error) {
	if err := checkGraph(&q); err != nil {
		return inventory.Graph{}, err
	}
	graph := inventory.Graph{}
	page := inventory.Page{AsOf: q.AsOf}
	err := s.read(ctx, func(tx pgx.Tx) error {
		place, err := ciAt(ctx, tx, q.CI, page)
		if err != nil {
			return err
		}
		args := pgx.NamedArgs{"as_of": instant(page), "types": q.Types}
		search := graphSearch{tx: tx, query: q, args: args, depth: map[string]int{place.ID: 0}, found: []string{place.ID}}
		if graph.Truncated, err = search.run(ctx); err != nil {
			return err
		}
		args["nodes"] = search.found
		if graph.Nodes, err = search.nodes(ctx, versionOrLast(page)); err != nil {
			return err
		}
		var cut bool
		graph.Edges, cut, err = search.edges(ctx)
		graph.Truncated = graph.Truncated || cut
		return err
	})
	if !q.AsOf.IsZero() {
		graph.AsOf = &q.AsOf
	}
	return graph, err
}

func checkGraph(q *inventory.GraphQuery) error {
	if q.MaxNodes <= 0 {
		q.MaxNodes = defaultNodes
	}
	if q.Depth < 1 {
		return invalid("the depth of a graph is at least 1")
	}
	switch q.Direction {
	case "":
		q.Direction = inventory.DirectionBoth
	case inventory.DirectionOut, inventory.DirectionIn, inventory.DirectionBoth:
	default:
		return invalid("direction %q is none of %s, %s, %s", q.Direction, inventory.DirectionOut, inventory.DirectionIn, inventory.DirectionBoth)
	}
	if len(q.Types) == 0 {
		q.Types = nil
	}
	return nil
}

// graphSearch goes from CI to CI, breadth first.
type graphSearch struct {
	tx    pgx.Tx
	query inventory.GraphQuery
	args  pgx.NamedArgs
	depth map[string]int
	found []string // in the order in which they were found
}

// run finds the CIs, and reports whether there are more than there may be.
func (g *graphSearch) run(ctx context.Context) (truncated bool, err error) {
	frontier := g.found
	for step := 1; step <= g.query.Depth && len(frontier) > 0; step++ {
		left := g.query.MaxNodes - len(g.found)
		next, err := g.next(ctx, frontier, left+1)
		if err != nil {
			return false, err
		}
		if len(next) > left {
			next, truncated = next[:left], true
		}
		for _, id := range next {
			g.depth[id] = step
		}
		g.found = append(g.found, next...)
		frontier = next
		if truncated {
			return true, nil
		}
	}
	return false, nil
}

// graphSteps finds the CIs that relationships lead to from some CIs, one direction at a time. The first to be related
// are the first to be found.
func graphSteps(q inventory.GraphQuery) string {
	const out, in = `f.ci_id = any(@frontier::uuid[])`, `t.ci_id = any(@frontier::uuid[])`
	var steps string
	switch {
	case q.Impact: // to those who suffer, from those who make them
		steps = graphStep(`t`, out+` and y.impact = 'to_suffers'`) + ` union all ` + graphStep(`f`, in+` and y.impact = 'from_suffers'`)
	case q.Direction == inventory.DirectionOut:
		steps = graphStep(`t`, out)
	case q.Direction == inventory.DirectionIn:
		steps = graphStep(`f`, in)
	default:
		steps = graphStep(`t`, out) + ` union all ` + graphStep(`f`, in)
	}
	return `
		select s.ci_id::text as id
		from (` + steps + `) s
		where s.ci_id <> all(@found::uuid[])
		group by s.ci_id
		order by min(s.id), s.ci_id
		limit @limit`
}

func graphStep(end, condition string) string {
	return `
		select ` + end + `.ci_id, r.id
		from relationship r
		join relationship_type y on y.name = r.type` + relationshipEnds(atPage) + `
		where ` + graphEdge + ` and ` + condition
}

// graphEdge picks the relationships r that a graph is made of.
var graphEdge = atPage("r") + ` and (@types::text[] is null or r.type = any(@types))`

type idRow struct{ ID string }

// next finds at most so many CIs that are one relationship away from the frontier and were not found before.
func (g *graphSearch) next(ctx context.Context, frontier []string, limit int) ([]string, error) {
	g.args["frontier"], g.args["found"], g.args["limit"] = frontier, g.found, limit
	var ids []string
	err := each(ctx, g.tx, graphSteps(g.query), g.args, func(row idRow) error {
		ids = append(ids, row.ID)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read neighbors: %w", err)
	}
	return ids, nil
}

// nodes are the CIs that were found.
func (g *graphSearch) nodes(ctx context.Context, version string) ([]inventory.GraphNode, error) {
	refs := make(map[string]inventory.CIRef, len(g.found))
	err := each(ctx, g.tx, `
		select d.ci_id::text as id, d.class, d.name
		from ci_version d join ci c on c.id = d.ci_id
		where d.ci_id = any(@nodes::uuid[]) and `+version, g.args, func(ref inventory.CIRef) error {
		refs[ref.ID] = ref
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	nodes := make([]inventory.GraphNode, len(g.found))
	for i, id := range g.found {
		nodes[i] = inventory.GraphNode{CIRef: refs[id], Depth: g.depth[id]}
	}
	return nodes, nil
}

// edges are the relationships between the CIs that were found, and reports whether some of them were cut.
func (g *graphSearch) edges(ctx context.Context) ([]inventory.Relationship, bool, error) {
	most := edgesPerNode * len(g.found)
	g.args["limit"] = most + 1
	suffering := `true`
	if g.query.Impact {
		suffering = `y.impact <> 'none'`
	}
	edges := []inventory.Relationship{}
	err := each(ctx, g.tx, `
		select `+relationshipColumns+`
		from `+relationshipTables+`
		where `+graphEdge+` and f.ci_id = any(@nodes::uuid[]) and t.ci_id = any(@nodes::uuid[]) and `+suffering+`
			and `+notRepeated(atPage, `(x.valid_from, x.id) < (r.valid_from, r.id) and `+atPage("x"))+`
		order by r.id
		limit @limit`, g.args, func(row relationshipRow) error {
		edge, err := row.relationship()
		edges = append(edges, edge)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read edges: %w", err)
	}
	if len(edges) > most {
		return edges[:most], true, nil
	}
	return edges, false, nil
}
