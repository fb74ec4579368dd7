package cmdb

import (
	"context"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// recordsOf reads the records of CIs.
func (g *graphSearch) recordsOf(ctx context.Context, cis []string) ([]int64, error) {
	g.args["cis"] = cis
	var records []int64
	err := db.ForEach(ctx, g.tx, "read records", recordsOfCIs, g.args, func(p assignmentRow) error {
		g.assignments[p.RecordID] = p
		records = append(records, p.RecordID)
		return nil
	})
	return records, err
}

// relationshipsOf reads the relationships of records, in the order of their ids, and returns those
// that were not read before. It reads edgesPerNode for each node that the graph may have, and marks
// the graph as truncated if there are more.
func (g *graphSearch) relationshipsOf(ctx context.Context, records []int64) ([]graphEdge, error) {
	most := edgesPerNode * g.query.MaxNodes
	g.args["records"], g.args["limit"] = records, most+1
	var met []graphEdge
	rows := 0
	err := db.ForEach(ctx, g.tx, "read relationships", relationshipsOfRecords, g.args, func(edge graphEdge) error {
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
	return met, err
}

const (
	recordsOfCIs = `
		select m.record_id, i.id as ci, m.is_primary
		from unnest(@cis::text[]) i (id) join assignment m on m.ci_id = i.id::uuid and ` + memberAt
	assignmentsOfRecords = `
		select m.record_id, m.ci_id::text as ci, m.is_primary
		from unnest(@unknown::bigint[]) i (record) join assignment m on m.record_id = i.record and ` + memberAt
)

var relationshipsOfRecords = graphStep("from_record", "@out") + ` union all ` + graphStep("to_record", "@in") + `
		order by id
		limit @limit`

// graphStep is a query for the relationships r with one of the records @records at an end: the
// column from_record or to_record. types is an SQL array of their types.
func graphStep(end, types string) string {
	return `
		select r.id, r.type, r.from_record, r.to_record, r.observer, r.declared,
			nullif(r.attributes, '{}') as attributes, r.valid_from, r.actor, r.reason
		from unnest(@records::bigint[]) i (record)
		join relationship r on r.` + end + ` = i.record and ` + atPage("r") + `
		where r.type = any(` + types + `::text[])`
}

// locate reads the assignments of all records of relationships that are not yet known.
func (g *graphSearch) locate(ctx context.Context, edges []graphEdge) error {
	var unknown []int64
	meet := func(record int64) {
		if _, known := g.assignments[record]; !known {
			g.assignments[record] = assignmentRow{}
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
	rows, err := db.Collect[assignmentRow](ctx, g.tx, "read assignments", assignmentsOfRecords,
		db.PlanForArguments, g.args)
	for _, row := range rows {
		g.assignments[row.RecordID] = row
	}
	return err
}

// versions reads the versions d of CIs; version is the where clause that selects one for each CI.
func (g *graphSearch) versions(ctx context.Context, ids []string, version string) (map[string]inventory.CIRef, error) {
	g.args["nodes"] = ids
	refs := make(map[string]inventory.CIRef, len(ids))
	sql := `
		select n.id, d.class, d.name
		from unnest(@nodes::text[]) n (id) join ci_version d on d.ci_id = n.id::uuid ` + version
	err := db.ForEach(ctx, g.tx, "read nodes", sql, g.args, func(ref inventory.CIRef) error {
		refs[ref.ID] = ref
		return nil
	})
	return refs, err
}

// observerRow is a record that observed a relationship.
type observerRow struct {
	ID     int64
	Source string
}

// sources reads the sources of the records that observed the edges, by record.
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
	sql := `select id, source from source_record where id = any(@observers::bigint[])`
	err := db.ForEach(ctx, g.tx, "read observers", sql, g.args, func(r observerRow) error {
		sources[r.ID] = r.Source
		return nil
	})
	return sources, err
}
