package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// graphSearch goes from CI to CI, breadth first. Relationships are between records: each record is looked up once, however
// many relationships it has.
type graphSearch struct {
	tx    pgx.Tx
	query inventory.GraphQuery
	args  pgx.NamedArgs
	verbs map[string]string // by relationship type

	nodes     []inventory.GraphNode
	refs      map[string]inventory.CIRef // of the nodes
	places    map[int64]recordPlace      // of the records that were met
	edges     []graphEdge
	read      map[int64]bool // the relationships that were met
	truncated bool
}

// recordPlace is where a record was at the instant; "": it was nowhere.
type recordPlace struct {
	RecordID int64
	CI       string
	Shown    bool
}

type graphEdge struct {
	ID         int64
	Type       string
	FromRecord int64
	ToRecord   int64
	Observer   *int64
	Listed     bool
	Attributes []byte // nil: none
	ValidFrom  time.Time
	Actor      string
	Reason     string
}

// newGraphSearch begins at the CI of a query. One that is retired is related to nothing any more.
func newGraphSearch(ctx context.Context, tx pgx.Tx, q inventory.GraphQuery) (*graphSearch, error) {
	page := inventory.Page{AsOf: q.AsOf}
	if err := joinAsWritten(ctx, tx); err != nil {
		return nil, err
	}
	first, err := ciAt(ctx, tx, q.CI, page)
	if err != nil {
		return nil, err
	}
	g := &graphSearch{
		tx: tx, query: q, args: pgx.NamedArgs{"as_of": instant(page)}, verbs: map[string]string{},
		refs: map[string]inventory.CIRef{}, places: map[int64]recordPlace{}, read: map[int64]bool{},
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

// chooseTypes finds the types of relationships to follow from the end from to the end to, and the other way.
func (g *graphSearch) chooseTypes(ctx context.Context) error {
	var out, in []string
	err := each(ctx, g.tx, selectRelationshipTypes, pgx.NamedArgs{}, func(t inventory.RelationshipType) error {
		g.verbs[t.Name] = t.Verb
		if len(g.query.Types) > 0 && !slices.Contains(g.query.Types, t.Name) {
			return nil
		}
		follow := g.query.Direction
		if g.query.Impact { // from those who fail to those who suffer
			follow = map[string]string{"to_suffers": inventory.DirectionOut, "from_suffers": inventory.DirectionIn}[t.Impact]
		}
		if follow == inventory.DirectionOut || follow == inventory.DirectionBoth {
			out = append(out, t.Name)
		}
		if follow == inventory.DirectionIn || follow == inventory.DirectionBoth {
			in = append(in, t.Name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read relationship types: %w", err)
	}
	for _, name := range g.query.Types {
		if _, known := g.verbs[name]; !known {
			return invalid("there is no relationship type %s", name)
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

// enter adds the CIs that were found, but those that are retired.
func (g *graphSearch) enter(ctx context.Context, found []string, depth int) error {
	refs, err := g.versions(ctx, found, `where `+versionAt(inventory.Page{AsOf: g.query.AsOf}))
	if err != nil {
		return err
	}
	for _, id := range found {
		ref, there := refs[id]
		switch {
		case !there:
		case len(g.nodes) < g.query.MaxNodes:
			g.add(ref, depth)
		default:
			g.truncated = true
		}
	}
	return nil
}

// follow keeps the relationships of the frontier, and gives the CIs that they lead to and that are no nodes yet.
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
		from, to := g.places[edge.FromRecord].CI, g.places[edge.ToRecord].CI
		hidden := edge.Observer != nil && !edge.Listed && !g.places[*edge.Observer].Shown
		if from == "" || to == "" || from == to || hidden {
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

// recordsOf gives the records of CIs.
func (g *graphSearch) recordsOf(ctx context.Context, cis []string) ([]int64, error) {
	g.args["cis"] = cis
	var records []int64
	err := each(ctx, g.tx, recordsOfCIs, g.args, func(p recordPlace) error {
		g.places[p.RecordID] = p
		records = append(records, p.RecordID)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return records, nil
}

// relationshipsOf reads the relationships of records that were not read before, the first first.
func (g *graphSearch) relationshipsOf(ctx context.Context, records []int64) ([]graphEdge, error) {
	most := edgesPerNode * g.query.MaxNodes
	g.args["records"], g.args["limit"] = records, most+1
	var met []graphEdge
	rows := 0
	err := each(ctx, g.tx, relationshipsOfRecords, g.args, func(edge graphEdge) error {
		if rows++; rows > most {
			g.truncated = true
			return nil
		}
		if !g.read[edge.ID] {
			g.read[edge.ID] = true
			met = append(met, edge)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read relationships: %w", err)
	}
	return met, nil
}

const (
	recordsOfCIs = `
		select m.record_id, i.id as ci, m.shown
		from unnest(@cis::text[]) i (id) join membership m on m.ci_id = i.id::uuid and ` + memberAt
	placesOfRecords = `
		select m.record_id, m.ci_id::text as ci, m.shown
		from unnest(@unknown::bigint[]) i (record) join membership m on m.record_id = i.record and ` + memberAt
)

var relationshipsOfRecords = graphStep("from_record", "@out") + ` union all ` + graphStep("to_record", "@in") + `
		order by id
		limit @limit`

// graphStep are the relationships of some types of which records are an end.
func graphStep(end, types string) string {
	return `
		select r.id, r.type, r.from_record, r.to_record, r.observer, r.listed, nullif(r.attributes, '{}') as attributes, r.valid_from,
			r.actor, r.reason
		from unnest(@records::bigint[]) i (record)
		join relationship r on r.` + end + ` = i.record and ` + atPage("r") + `
		where r.type = any(` + types + `::text[])`
}

// locate finds where the records were that relationships name.
func (g *graphSearch) locate(ctx context.Context, edges []graphEdge) error {
	var unknown []int64
	meet := func(record int64) {
		if _, known := g.places[record]; !known {
			g.places[record] = recordPlace{}
			unknown = append(unknown, record)
		}
	}
	for _, edge := range edges {
		meet(edge.FromRecord)
		meet(edge.ToRecord)
		if edge.Observer != nil {
			meet(*edge.Observer)
		}
	}
	g.args["unknown"] = unknown
	err := each(ctx, g.tx, placesOfRecords, g.args, func(p recordPlace) error {
		g.places[p.RecordID] = p
		return nil
	})
	if err != nil {
		return fmt.Errorf("read places of records: %w", err)
	}
	return nil
}

// versions are the versions d of CIs that the end of a statement picks.
func (g *graphSearch) versions(ctx context.Context, ids []string, version string) (map[string]inventory.CIRef, error) {
	g.args["nodes"] = ids
	refs := make(map[string]inventory.CIRef, len(ids))
	err := each(ctx, g.tx, `
		select n.id, d.class, d.name
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
		from, fromThere := g.refs[g.places[edge.FromRecord].CI]
		to, toThere := g.refs[g.places[edge.ToRecord].CI]
		key := [3]string{edge.Type, from.ID, to.ID}
		if !fromThere || !toThere || kept[key] {
			continue
		}
		kept[key] = true
		relationship := inventory.Relationship{
			ID: edge.ID, Type: edge.Type, Verb: g.verbs[edge.Type], From: from, To: to, Source: sourceManual, ValidFrom: edge.ValidFrom,
			Actor: edge.Actor, Reason: edge.Reason,
		}
		if edge.Observer != nil {
			relationship.Source = sources[*edge.Observer]
		}
		if edge.Attributes != nil {
			if relationship.Attributes, err = decodeAttributes(edge.Attributes); err != nil {
				return nil, err
			}
		}
		connected = append(connected, relationship)
	}
	return connected, nil
}

// sources names the sources of those who observed the relationships.
func (g *graphSearch) sources(ctx context.Context) (map[int64]string, error) {
	var observers []int64
	for _, edge := range g.edges {
		if edge.Observer != nil {
			observers = append(observers, *edge.Observer)
		}
	}
	slices.Sort(observers)
	g.args["observers"] = slices.Compact(observers)
	sources := make(map[int64]string, len(observers))
	err := each(ctx, g.tx, `select id, source from source_record where id = any(@observers::bigint[])`, g.args, func(r struct {
		ID     int64
		Source string
	}) error {
		sources[r.ID] = r.Source
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read observers: %w", err)
	}
	return sources, nil
}
