package cmdb

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// graphSearch is a breadth-first search from CI to CI. Relationships are between records; the
// search reads the assignment of each record once, however many relationships the record has.
type graphSearch struct {
	tx    pgx.Tx
	query inventory.GraphQuery
	args  pgx.NamedArgs
	verbs map[string]string // by relationship type

	nodes       []inventory.GraphNode
	refs        map[string]inventory.CIRef // of the nodes
	assignments map[int64]assignmentRow    // of all records read so far
	edges       []graphEdge
	read        map[int64]bool // the ids of all relationships read so far
	truncated   bool
}

// assignmentRow is the assignment of a record at the instant; CI is "" if it had none.
type assignmentRow struct {
	RecordID  int64
	CI        string
	IsPrimary bool
}

type graphEdge struct {
	ID         int64
	Type       string
	FromRecord int64
	ToRecord   int64
	Observer   *int64
	Declared   bool
	Attributes []byte // nil if there are none
	ValidFrom  time.Time
	Actor      string
	Reason     string
}

// newGraphSearch returns a search with the CI of the query as its only node. A retired CI has no
// relationships.
func newGraphSearch(ctx context.Context, tx pgx.Tx, q inventory.GraphQuery) (*graphSearch, error) {
	page := inventory.Page{AsOf: q.AsOf}
	if err := db.JoinAsWritten(ctx, tx); err != nil {
		return nil, err
	}
	first, err := FindCI(ctx, tx, q.CI, page)
	if err != nil {
		return nil, err
	}
	g := &graphSearch{
		tx: tx, query: q, args: pgx.NamedArgs{"as_of": db.Instant(page)}, verbs: map[string]string{},
		refs: map[string]inventory.CIRef{}, assignments: map[int64]assignmentRow{}, read: map[int64]bool{},
	}
	refs, err := g.versions(ctx, []string{first.ID}, `where `+versionOrLast(page))
	if err != nil {
		return nil, err
	}
	g.add(refs[first.ID], 0)
	if first.Retired {
		g.query.Depth = 0
	}
	return g, g.chooseTypes(ctx)
}

// chooseTypes sets the arguments @out and @in: the types of the relationships to follow from their
// from end to their to end, and in the other direction.
func (g *graphSearch) chooseTypes(ctx context.Context) error {
	var out, in []string
	add := func(t inventory.RelationshipType) error {
		g.verbs[t.Name] = t.Verb
		if len(g.query.Types) > 0 && !slices.Contains(g.query.Types, t.Name) {
			return nil
		}
		follow := g.query.Direction
		if g.query.Impact { // from the failing CI to the affected one
			follow = map[string]string{"to_suffers": inventory.DirectionOut, "from_suffers": inventory.DirectionIn}[t.Impact]
		}
		if follow == inventory.DirectionOut || follow == inventory.DirectionBoth {
			out = append(out, t.Name)
		}
		if follow == inventory.DirectionIn || follow == inventory.DirectionBoth {
			in = append(in, t.Name)
		}
		return nil
	}
	err := db.ForEach(ctx, g.tx, "read relationship types", selectRelationshipTypes, pgx.NamedArgs{}, add)
	if err != nil {
		return err
	}
	for _, name := range g.query.Types {
		if _, known := g.verbs[name]; !known {
			return db.Invalid("there is no relationship type %s", name)
		}
	}
	g.args["out"], g.args["in"] = out, in
	return nil
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
		if err := g.enter(ctx, next, step); err != nil {
			return err
		}
	}
	return nil
}

func (g *graphSearch) add(ref inventory.CIRef, depth int) {
	g.refs[ref.ID] = ref
	g.nodes = append(g.nodes, inventory.GraphNode{CIRef: ref, Depth: depth})
}

// enter adds nodes for the found CIs that are not retired.
func (g *graphSearch) enter(ctx context.Context, found []string, depth int) error {
	refs, err := g.versions(ctx, found, `where `+versionAt(inventory.Page{AsOf: g.query.AsOf}))
	if err != nil {
		return err
	}
	for _, id := range found {
		ref, current := refs[id]
		switch {
		case !current:
		case len(g.nodes) < g.query.MaxNodes:
			g.add(ref, depth)
		default:
			g.truncated = true
		}
	}
	return nil
}

// follow adds the relationships of the frontier to the edges. It returns the CIs at their other
// ends that are not yet nodes.
func (g *graphSearch) follow(ctx context.Context, frontier []string) ([]string, error) {
	records, err := g.recordsOf(ctx, frontier)
	if err != nil {
		return nil, err
	}
	met, err := g.relationshipsOf(ctx, records)
	if err != nil {
		return nil, err
	}
	if err := g.locate(ctx, met); err != nil {
		return nil, err
	}
	var next []string
	found := map[string]bool{}
	for _, edge := range met {
		from, to := g.assignments[edge.FromRecord].CI, g.assignments[edge.ToRecord].CI
		if from == "" || to == "" || from == to || !g.counts(edge) {
			continue
		}
		g.edges = append(g.edges, edge)
		for _, id := range []string{from, to} {
			if _, known := g.refs[id]; !known && !found[id] {
				next, found[id] = append(next, id), true
			}
		}
	}
	return next, nil
}

// counts is the condition of the function counts.
func (g *graphSearch) counts(edge graphEdge) bool {
	return edge.Observer == nil || edge.Declared || g.assignments[*edge.Observer].IsPrimary
}

// connected returns the relationships with both ends in the graph. Of several relationships of one
// type between the same two CIs, it returns the first.
func (g *graphSearch) connected(ctx context.Context) ([]inventory.Relationship, error) {
	sources, err := g.sources(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(g.edges, func(a, b graphEdge) int {
		return cmp.Or(a.ValidFrom.Compare(b.ValidFrom), cmp.Compare(a.ID, b.ID))
	})
	kept := map[[3]string]bool{}
	connected := []inventory.Relationship{}
	for _, edge := range g.edges {
		from, isFrom := g.refs[g.assignments[edge.FromRecord].CI]
		to, isTo := g.refs[g.assignments[edge.ToRecord].CI]
		key := [3]string{edge.Type, from.ID, to.ID}
		if !isFrom || !isTo || kept[key] {
			continue
		}
		kept[key] = true
		relationship := inventory.Relationship{
			ID: edge.ID, Type: edge.Type, Verb: g.verbs[edge.Type], From: from, To: to, Source: inventory.SourceManual,
			ValidFrom: edge.ValidFrom, Actor: edge.Actor, Reason: edge.Reason,
		}
		if edge.Observer != nil {
			relationship.Source = sources[*edge.Observer]
		}
		if edge.Attributes != nil {
			if relationship.Attributes, err = db.DecodeAttributes(edge.Attributes); err != nil {
				return nil, err
			}
		}
		connected = append(connected, relationship)
	}
	return connected, nil
}
