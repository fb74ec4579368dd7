package cmdb

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
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

// AtPage is the instant that a page is about.
var AtPage = during(`@as_of`)

// relationshipEnds are the CIs f and t that the records of relationships r were at a moment, with their versions fv and
// tv: a CI that is retired has none, and no relationships. seer is where the record was that observed it.
func relationshipEnds(at moment) string {
	return `
		join assignment f on f.record_id = r.from_record and ` + at("f") + `
		join assignment t on t.record_id = r.to_record and ` + at("t") + `
		join ci_version fv on fv.ci_id = f.ci_id and ` + at("fv") + `
		join ci_version tv on tv.ci_id = t.ci_id and ` + at("tv") + `
		left join assignment seer on seer.record_id = r.observer and ` + at("seer")
}

// relatedCIs are the relationships r of the CIs of an array, which are their end f or t, and the other end. It is read
// from the CIs on.
func relatedCIs(end, cis string, at moment) string {
	this, other, near, far := "f", "t", "from_record", "to_record"
	if end == "t" {
		this, other, near, far = "t", "f", "to_record", "from_record"
	}
	return `
		unnest(` + cis + `::uuid[]) i (id)
		join assignment ` + this + ` on ` + this + `.ci_id = i.id and ` + at(this) + `
		join relationship r on r.` + near + ` = ` + this + `.record_id and ` + at("r") + `
		join assignment ` + other + ` on ` + other + `.record_id = r.` + far + ` and ` + at(other)
}

// relatedSeen is relationshipVisible of relatedCIs: who observes is nearly always at one of the two ends, and known.
func relatedSeen(at moment) string {
	return `f.ci_id <> t.ci_id and case
		when r.observer is null or r.declared then true
		when r.observer = f.record_id then f.is_primary
		when r.observer = t.record_id then t.is_primary
		else exists (select from assignment seer where seer.record_id = r.observer and seer.is_primary and ` + at("seer") + `)
	end`
}

// relationshipVisible picks what is of two CIs and is known to hold: what was seen by a record whose inventory is not its
// CI's is not.
const relationshipVisible = `f.ci_id <> t.ci_id and (r.observer is null or r.declared or seer.is_primary)`

// notRepeated picks one of several relationships of a type between the same two CIs: there is no other one, x, of which
// a condition holds.
func notRepeated(at moment, condition string) string {
	return `not exists (
		select
		from assignment xf
		join assignment xt on xt.ci_id = t.ci_id and ` + at("xt") + `
		join relationship x on x.from_record = xf.record_id and x.to_record = xt.record_id
		left join assignment xs on xs.record_id = x.observer and ` + at("xs") + `
		where xf.ci_id = f.ci_id and ` + at("xf") + ` and x.type = r.type and x.id <> r.id and ` + condition + `
			and (x.observer is null or x.declared or xs.is_primary)
		offset 0 -- looked up for one relationship at a time
	)`
}

// relationshipColumns are those of a relationshipRow.
const relationshipColumns = `
	r.id, r.type, (select y.verb from relationship_type y where y.name = r.type) as verb, f.ci_id::text as from_id, fv.class as from_class, fv.name as from_name,
	t.ci_id::text as to_id, tv.class as to_class, tv.name as to_name, r.attributes,
	` + relationshipSource + ` as source, r.valid_from, case when r.valid_to <= @as_of then r.valid_to end as valid_to,
	r.actor, r.reason, case when r.valid_to <= @as_of then r.ended_by else '' end as ended_by,
	case when r.valid_to <= @as_of then r.end_reason else '' end as end_reason`

// relationshipTables are what the columns are of: the relationships at the page's instant.
var relationshipTables = `relationship r` + relationshipEnds(AtPage)

// relationshipSource is who told of a relationship r.
const relationshipSource = `coalesce((select o.source from source_record o where o.id = r.observer), '` + inventory.SourceManual + `')`

type relationshipRow struct {
	ID                          int64
	Type, Verb                  string
	FromID, FromClass, FromName string
	ToID, ToClass, ToName       string
	Attributes                  []byte
	Source                      string
	ValidFrom                   time.Time
	ValidTo                     *time.Time
	Actor, Reason               string
	EndedBy, EndReason          string
}

func (r relationshipRow) relationship() (inventory.Relationship, error) {
	attributes, err := db.DecodeAttributes(r.Attributes)
	return inventory.Relationship{
		ID: r.ID, Type: r.Type, Verb: r.Verb,
		From:       inventory.CIRef{ID: r.FromID, Class: r.FromClass, Name: r.FromName},
		To:         inventory.CIRef{ID: r.ToID, Class: r.ToClass, Name: r.ToName},
		Attributes: attributes, Source: r.Source, ValidFrom: r.ValidFrom, ValidTo: r.ValidTo,
		Actor: r.Actor, Reason: r.Reason, EndedBy: r.EndedBy, EndReason: r.EndReason,
	}, err
}
