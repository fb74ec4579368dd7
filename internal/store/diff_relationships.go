package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// relatedAt are the CIs that some CIs are related to at a moment, in either direction.
func relatedAt(at moment) string {
	return `
		select f.ci_id as ci, r.type, true as outward, t.ci_id as other
		from relationship r` + relationshipEnds(at) + `
		where ` + at("r") + ` and f.ci_id = any(@cis::uuid[])
		union
		select t.ci_id, r.type, false, f.ci_id
		from relationship r` + relationshipEnds(at) + `
		where ` + at("r") + ` and t.ci_id = any(@cis::uuid[])`
}

var relatedDifference = `
	with earlier as materialized (` + relatedAt(during(`@from`)) + `
	), later as materialized (` + relatedAt(during(`@to`)) + `
	), difference as (
		select 'ended' as change, @from::timestamptz as at, e.* from (table earlier except table later) e
		union all
		select 'began', @to::timestamptz, l.* from (table later except table earlier) l
	)
	select x.ci::text as ci, x.change, x.type, x.other::text as other, v.class, v.name
	from difference x
	join ci_version v on v.ci_id = x.other and v.valid_from <= x.at and v.valid_to > x.at
	order by x.ci, x.type, x.outward, x.other, x.change`

type relatedRow struct {
	CI, Change, Type, Other, Class, Name string
}

// relationships gives the relationships that CIs have at one of the instants only.
func (d *differ) relationships(ctx context.Context, cis []compared) (map[string][]inventory.RelationDelta, error) {
	ids := make([]string, len(cis))
	for i, c := range cis {
		ids[i] = c.ID
	}
	deltas := map[string][]inventory.RelationDelta{}
	err := each(ctx, d.tx, relatedDifference, d.args(pgx.NamedArgs{"cis": ids}), func(row relatedRow) error {
		deltas[row.CI] = append(deltas[row.CI], inventory.RelationDelta{
			Change: row.Change, Type: row.Type, Other: inventory.CIRef{ID: row.Other, Class: row.Class, Name: row.Name},
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read relationships: %w", err)
	}
	return deltas, nil
}
