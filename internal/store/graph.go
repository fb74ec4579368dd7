package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	// defaultNodes is where a graph stops that does not say where.
	defaultNodes = 1000
	// edgesPerNode bounds the relationships of a graph by the number of its CIs.
	edgesPerNode = 20
)

// Graph gives the CIs within some relationships of a CI, the nearest first, and the relationships that lead to them and
// back. A graph that was cut holds no CI without a way to the first.
func (s *Store) Graph(ctx context.Context, q inventory.GraphQuery) (inventory.Graph, error) {
	if err := checkGraph(&q); err != nil {
		return inventory.Graph{}, err
	}
	page := inventory.Page{AsOf: q.AsOf}
	search := graphSearch{query: q, args: pgx.NamedArgs{"as_of": instant(page), "types": q.Types}, depth: map[string]int{}, observers: map[int64]int64{}}
	err := s.read(ctx, func(tx pgx.Tx) error {
		if err := joinAsWritten(ctx, tx); err != nil {
			return err
		}
		place, err := ciAt(ctx, tx, q.CI, page)
		if err != nil {
			return err
		}
		search.tx = tx
		first, err := search.refs(ctx, []string{place.ID}, `join ci c on c.id = d.ci_id where `+versionOrLast(page))
		if err != nil {
			return err
		}
		search.add(first[place.ID], 0)
		if place.Retired { // it is related to nothing any more
			return nil
		}
		if err := search.run(ctx); err != nil {
			return err
		}
		return search.sources(ctx)
	})
	if err != nil {
		return inventory.Graph{}, err
	}
	graph := inventory.Graph{Nodes: search.nodes, Edges: search.connected(), Truncated: search.truncated}
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
	tx        pgx.Tx
	query     inventory.GraphQuery
	args      pgx.NamedArgs
	nodes     []inventory.GraphNode
	depth     map[string]int
	edges     []inventory.Relationship
	observers map[int64]int64 // of the edges that were observed
	truncated bool
}

func (g *graphSearch) add(ref inventory.CIRef, depth int) {
	g.depth[ref.ID] = depth
	g.nodes = append(g.nodes, inventory.GraphNode{CIRef: ref, Depth: depth})
}

func (g *graphSearch) run(ctx context.Context) error {
	first := 0
	for step := 1; step <= g.query.Depth && first < len(g.nodes); step++ {
		frontier := make([]string, 0, len(g.nodes)-first)
		for _, node := range g.nodes[first:] {
			frontier = append(frontier, node.ID)
		}
		first = len(g.nodes)
		next, err := g.follow(ctx, frontier)
		if err != nil {
			return err
		}
		refs, err := g.refs(ctx, next, `where `+atPage("d"))
		if err != nil {
			return err
		}
		for _, id := range next {
			ref, there := refs[id]
			switch {
			case !there: // it is retired
			case len(g.nodes) < g.query.MaxNodes:
				g.add(ref, step)
			default:
				g.truncated = true
			}
		}
	}
	return nil
}

// graphSteps are the relationships that lead from the CIs of the frontier to others, the first first.
func graphSteps(q inventory.GraphQuery) string {
	const out, in = "f", "t"
	var steps string
	switch {
	case q.Impact: // from those who fail to those who suffer
		steps = graphStep(out, `y.impact = 'to_suffers'`) + ` union all ` + graphStep(in, `y.impact = 'from_suffers'`)
	case q.Direction == inventory.DirectionOut:
		steps = graphStep(out, `true`)
	case q.Direction == inventory.DirectionIn:
		steps = graphStep(in, `true`)
	default:
		steps = graphStep(out, `true`) + ` union all ` + graphStep(in, `true`)
	}
	return steps + `
		order by id
		limit @limit`
}

// graphStep are those whose end, f or t, is of the frontier.
func graphStep(end, condition string) string {
	return `
		select r.id, r.type, y.verb, f.ci_id::text as from_id, t.ci_id::text as to_id, r.attributes, r.observer, r.valid_from
		from ` + relatedCIs(end, `@frontier::text[]`, atPage) + `
		join relationship_type y on y.name = r.type
		where ` + relatedSeen(atPage) + ` and r.id <> all(@known::bigint[]) and (@types::text[] is null or r.type = any(@types)) and ` + condition
}

type graphRow struct {
	ID         int64
	Type, Verb string
	FromID     string
	ToID       string
	Attributes []byte
	Observer   *int64
	ValidFrom  time.Time
}

// follow keeps the relationships of the frontier, and gives the CIs that they lead to and that were not found before.
func (g *graphSearch) follow(ctx context.Context, frontier []string) ([]string, error) {
	most := edgesPerNode * g.query.MaxNodes
	known := make([]int64, len(g.edges))
	for i, edge := range g.edges {
		known[i] = edge.ID
	}
	g.args["frontier"], g.args["known"], g.args["limit"] = frontier, known, most+1
	var next []string
	found, rows := map[string]bool{}, 0
	err := each(ctx, g.tx, graphSteps(g.query), g.args, func(row graphRow) error {
		if rows++; rows > most {
			g.truncated = true
			return nil
		}
		attributes, err := decodeAttributes(row.Attributes)
		g.edges = append(g.edges, inventory.Relationship{
			ID: row.ID, Type: row.Type, Verb: row.Verb, From: inventory.CIRef{ID: row.FromID}, To: inventory.CIRef{ID: row.ToID},
			Attributes: attributes, Source: sourceManual, ValidFrom: row.ValidFrom,
		})
		if row.Observer != nil {
			g.observers[row.ID] = *row.Observer
		}
		for _, id := range []string{row.FromID, row.ToID} {
			if _, known := g.depth[id]; !known && !found[id] {
				next, found[id] = append(next, id), true
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read neighbors: %w", err)
	}
	return next, nil
}

// sources fills in who told of the relationships.
func (g *graphSearch) sources(ctx context.Context) error {
	type observer struct {
		ID     int64
		Source string
	}
	names := map[int64]string{}
	g.args["observers"] = slices.Compact(slices.Sorted(maps.Values(g.observers)))
	err := each(ctx, g.tx, `select id, source from source_record where id = any(@observers::bigint[])`, g.args, func(o observer) error {
		names[o.ID] = o.Source
		return nil
	})
	if err != nil {
		return fmt.Errorf("read observers: %w", err)
	}
	for i, edge := range g.edges {
		if by, observed := g.observers[edge.ID]; observed {
			g.edges[i].Source = names[by]
		}
	}
	return nil
}

// refs are the versions d of CIs that the end of a statement picks.
func (g *graphSearch) refs(ctx context.Context, ids []string, version string) (map[string]inventory.CIRef, error) {
	g.args["nodes"] = ids
	refs := make(map[string]inventory.CIRef, len(ids))
	err := each(ctx, g.tx, `
		select d.ci_id::text as id, d.class, d.name
		from unnest(@nodes::text[]) n (id) join ci_version d on d.ci_id = n.id::uuid `+version, g.args, func(ref inventory.CIRef) error {
		refs[ref.ID] = ref
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	return refs, nil
}

// connected are the relationships of which both ends are in the graph. Several of one type between the same two CIs are
// one, the first.
func (g *graphSearch) connected() []inventory.Relationship {
	refs := make(map[string]inventory.CIRef, len(g.nodes))
	for _, node := range g.nodes {
		refs[node.ID] = node.CIRef
	}
	slices.SortFunc(g.edges, func(a, b inventory.Relationship) int {
		return cmp.Or(a.ValidFrom.Compare(b.ValidFrom), cmp.Compare(a.ID, b.ID))
	})
	kept := map[[3]string]bool{}
	edges := []inventory.Relationship{}
	for _, edge := range g.edges {
		key := [3]string{edge.Type, edge.From.ID, edge.To.ID}
		from, fromThere := refs[edge.From.ID]
		to, toThere := refs[edge.To.ID]
		if fromThere && toThere && !kept[key] {
			kept[key] = true
			edge.From, edge.To = from, to
			edges = append(edges, edge)
		}
	}
	return edges
}
