package cmdb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// relatedAt is a query for the CIs that an array of CIs, an SQL expression, had relationships with
// at a moment, in either direction. The CIs of the array have a version at that moment.
func relatedAt(cis string, at moment) string {
	return `
		select f.ci_id as ci, r.type, true as outward, t.ci_id as other
		from ` + relatedCIs("f", cis, at) + `
		join ci_version v on v.ci_id = t.ci_id and ` + at("v") + `
		where ` + relatedVisible(at) + `
		union
		select t.ci_id, r.type, false, f.ci_id
		from ` + relatedCIs("t", cis, at) + `
		join ci_version v on v.ci_id = f.ci_id and ` + at("v") + `
		where ` + relatedVisible(at)
}

// relatedDifference compares the relationships of the CIs @before at @from with those of the CIs
// @after at @to.
var relatedDifference = `
	with earlier as materialized (` + relatedAt(`@before`, during(`@from`)) + `
	), later as materialized (` + relatedAt(`@after`, during(`@to`)) + `
	), difference as (
		select 'ended' as change, @from::timestamptz as at, e.* from (table earlier except table later) e
		union all
		select 'began', @to::timestamptz, l.* from (table later except table earlier) l
	)
	select x.ci::text as ci, x.change, x.type, x.outward, case when x.outward then y.verb else y.inverse_verb end as verb,
		x.other::text as other, v.class, v.name
	from difference x
	join relationship_type y on y.name = x.type
	join ci_version v on v.ci_id = x.other and v.valid_from <= x.at and v.valid_to > x.at
	order by x.ci, x.type, x.outward, x.other, x.change`

type relatedRow struct {
	CI, Change, Type         string
	Outward                  bool
	Verb, Other, Class, Name string
}

func (r relatedRow) direction() string {
	if r.Outward {
		return inventory.DirectionOut
	}
	return inventory.DirectionIn
}

// relationships returns, by CI, the relationships that it has at one of the instants only.
func (d *differ) relationships(ctx context.Context, cis []compared) (map[string][]inventory.RelationshipDiff, error) {
	before, after := []string{}, []string{}
	for _, c := range cis {
		if c.OldClass != nil {
			before = append(before, c.ID)
		}
		if c.NewClass != nil {
			after = append(after, c.ID)
		}
	}
	differences := map[string][]inventory.RelationshipDiff{}
	args := d.args(pgx.NamedArgs{"before": before, "after": after})
	err := db.ForEach(ctx, d.tx, "read relationships", relatedDifference, args, func(row relatedRow) error {
		differences[row.CI] = append(differences[row.CI], inventory.RelationshipDiff{
			Change: row.Change, Type: row.Type, Direction: row.direction(), Verb: row.Verb,
			Other: inventory.CIRef{ID: row.Other, Class: row.Class, Name: row.Name},
		})
		return nil
	})
	return differences, err
}
