package cmdb

import (
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// moment returns the condition that a row was valid at some instant; alias is that of its table,
// which has the columns valid_from and valid_to.
type moment func(alias string) string

// during is the moment of an instant, an SQL expression: a row is valid from its valid_from on.
func during(instant string) moment {
	return func(alias string) string {
		return alias + `.valid_from <= ` + instant + ` and ` + alias + `.valid_to > ` + instant
	}
}

// until is the moment just before an instant, an SQL expression: a row is still valid just before
// its valid_to.
func until(instant string) moment {
	return func(alias string) string {
		return alias + `.valid_from < ` + instant + ` and ` + alias + `.valid_to >= ` + instant
	}
}

// atPage is the moment of the argument @as_of, the instant of a page.
var atPage = during(`@as_of`)

// relationshipEnds joins these tables for a relationship r:
//   - f and t, the assignments of the records at its two ends;
//   - fv and tv, the versions of their CIs, which a retired CI does not have;
//   - seer, the assignment of the record that observed it, if one did.
func relationshipEnds(at moment) string {
	return `
		join assignment f on f.record_id = r.from_record and ` + at("f") + `
		join assignment t on t.record_id = r.to_record and ` + at("t") + `
		join ci_version fv on fv.ci_id = f.ci_id and ` + at("fv") + `
		join ci_version tv on tv.ci_id = t.ci_id and ` + at("tv") + `
		left join assignment seer on seer.record_id = r.observer and ` + at("seer")
}

// relatedCIs is the tables for the relationships r of an array of CIs, an SQL expression: i are the
// CIs, f and t the assignments of the two ends. The CIs are at the given end, "f" or "t". The order
// of the joins is the best one (see db.JoinAsWritten).
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

// relatedVisible is relationshipVisible for the tables of relatedCIs. The observer is nearly always
// at one of the two ends, whose assignments are known: only for another one it is looked up.
func relatedVisible(at moment) string {
	return `f.ci_id <> t.ci_id and ` + counts("r", `case
		when r.observer = f.record_id then f.is_primary
		when r.observer = t.record_id then t.is_primary
		else exists (
			select from assignment seer where seer.record_id = r.observer and seer.is_primary and `+at("seer")+`)
	end`)
}

// relationshipVisible is the condition that a relationship r with the tables of relationshipEnds is
// one of the CMDB: its ends are two CIs and it counts.
var relationshipVisible = `f.ci_id <> t.ci_id and ` + counts("r", `seer.is_primary`)

// counts is the condition that a relationship, named by its alias, was declared or that a primary
// record observed it. What other records observe does not count for the CI. primary is the
// condition that the observer is a primary record. graphSearch.counts is the same in Go.
func counts(relationship, primary string) string {
	return `(` + relationship + `.observer is null or ` + relationship + `.declared or ` + primary + `)`
}

// notRepeated is the condition that no other relationship x of the same type between the same CIs
// meets a condition. It is for a relationship r with the tables of relationshipEnds; the condition
// compares x with r.
func notRepeated(at moment, condition string) string {
	return `not exists (
		select
		from assignment xf
		join assignment xt on xt.ci_id = t.ci_id and ` + at("xt") + `
		join relationship x on x.from_record = xf.record_id and x.to_record = xt.record_id
		left join assignment xs on xs.record_id = x.observer and ` + at("xs") + `
		where xf.ci_id = f.ci_id and ` + at("xf") + ` and x.type = r.type and x.id <> r.id and ` + condition + `
			and ` + counts("x", `xs.is_primary`) + `
		offset 0 -- evaluated for one relationship at a time
	)`
}

// relationshipColumns are the columns of a relationshipRow, from relationshipTables.
const relationshipColumns = `
	r.id, r.type, (select y.verb from relationship_type y where y.name = r.type) as verb,
	f.ci_id::text as from_id, fv.class as from_class, fv.name as from_name,
	t.ci_id::text as to_id, tv.class as to_class, tv.name as to_name, r.attributes,
	` + relationshipSource + ` as source, r.valid_from, case when r.valid_to <= @as_of then r.valid_to end as valid_to,
	r.actor, r.reason, case when r.valid_to <= @as_of then r.ended_by else '' end as ended_by,
	case when r.valid_to <= @as_of then r.end_reason else '' end as end_reason`

// relationshipTables are the relationships r with the tables of relationshipEnds at the page's
// instant.
var relationshipTables = `relationship r` + relationshipEnds(atPage)

// relationshipSource is the source that observed a relationship r, or SourceManual for a declared
// one.
const relationshipSource = `coalesce((select o.source from source_record o where o.id = r.observer),
		'` + inventory.SourceManual + `')`

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
