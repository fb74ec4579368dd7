package store

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// moment says of a row of a table, by its alias, that it was valid at some time.
type moment func(alias string) string

// during is the time that begins with an instant.
func during(instant string) moment {
	return func(alias string) string {
		return alias + `.valid_from <= ` + instant + ` and ` + alias + `.valid_to > ` + instant
	}
}

// until is the time that ends with an instant.
func until(instant string) moment {
	return func(alias string) string {
		return alias + `.valid_from < ` + instant + ` and ` + alias + `.valid_to >= ` + instant
	}
}

// atPage is the instant that a page is about.
var atPage = during(`@as_of`)

// relationshipEnds are the CIs f and t that the records of relationships r were at a moment. What is of one CI is no
// relationship, a CI that is retired has none, and what was seen by a record whose inventory is not its CI's is not
// known to hold.
func relationshipEnds(at moment) string {
	return `
		join membership f on f.record_id = r.from_record and ` + at("f") + `
		join membership t on t.record_id = r.to_record and t.ci_id <> f.ci_id and ` + at("t") + `
		join lateral (
			select
			where (r.observer is null or exists (select from membership w where w.record_id = r.observer and w.shown and ` + at("w") + `))
				and exists (select from ci_version v where v.ci_id = f.ci_id and ` + at("v") + `)
				and exists (select from ci_version v where v.ci_id = t.ci_id and ` + at("v") + `)
		) seen on true`
}

// notRepeated picks one of several relationships of a type between the same two CIs: there is no other one, x, of which
// a condition holds.
func notRepeated(at moment, condition string) string {
	return `not exists (
		select
		from membership xf
		join membership xt on xt.ci_id = t.ci_id and ` + at("xt") + `
		join relationship x on x.from_record = xf.record_id and x.to_record = xt.record_id
		where xf.ci_id = f.ci_id and ` + at("xf") + ` and x.type = r.type and x.id <> r.id and ` + condition + `
			and (x.observer is null or exists (select from membership w where w.record_id = x.observer and w.shown and ` + at("w") + `))
	)`
}

// relationshipColumns are those of a relationshipRow.
const relationshipColumns = `
	r.id, r.type, y.verb, f.ci_id::text as from_id, fv.class as from_class, fv.name as from_name,
	t.ci_id::text as to_id, tv.class as to_class, tv.name as to_name, r.attributes,
	coalesce(o.source, '` + sourceManual + `') as source, r.valid_from, case when r.valid_to <= @as_of then r.valid_to end as valid_to`

// relationshipTables are what the columns are of: the relationships at the page's instant.
var relationshipTables = `
	relationship r
	join relationship_type y on y.name = r.type` + relationshipEnds(atPage) + `
	join ci_version fv on fv.ci_id = f.ci_id and ` + atPage("fv") + `
	join ci_version tv on tv.ci_id = t.ci_id and ` + atPage("tv") + `
	left join source_record o on o.id = r.observer`

type relationshipRow struct {
	ID                          int64
	Type, Verb                  string
	FromID, FromClass, FromName string
	ToID, ToClass, ToName       string
	Attributes                  []byte
	Source                      string
	ValidFrom                   time.Time
	ValidTo                     *time.Time
}

func (r relationshipRow) relationship() (inventory.Relationship, error) {
	attributes, err := decodeAttributes(r.Attributes)
	return inventory.Relationship{
		ID: r.ID, Type: r.Type, Verb: r.Verb,
		From:       inventory.CIRef{ID: r.FromID, Class: r.FromClass, Name: r.FromName},
		To:         inventory.CIRef{ID: r.ToID, Class: r.ToClass, Name: r.ToName},
		Attributes: attributes, Source: r.Source, ValidFrom: r.ValidFrom, ValidTo: r.ValidTo,
	}, err
}
