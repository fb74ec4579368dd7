package resolve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// reference is how a list names a CI: by the value of an attribute, among those of a class and the
// classes below it.
type reference struct{ class, by, value string }

// idReference is how a list names a CI by its id.
const idReference = "id"

func referenceOf(p inventory.Component) reference { return reference{p.Class, p.By, p.Key} }

// namedCI is a CI with its records, the first first.
type namedCI struct {
	id, baseClass string
	records       []int64
}

// readReferences reads the CIs that are named.
func (r *resolution) readReferences(ctx context.Context, named []reference) error {
	values := map[[2]string][]string{}
	for _, ref := range named {
		key := [2]string{ref.class, ref.by}
		values[key] = append(values[key], ref.value)
	}
	for key, of := range values {
		if err := r.readNamed(ctx, key[0], key[1], of); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolution) readNamed(ctx context.Context, class, by string, values []string) error {
	classes, err := cmdb.ClassAndBelow(ctx, r.tx, class)
	if err != nil {
		return err
	}
	value := `v.attributes ->> @by`
	switch by {
	case inventory.AttributeName:
		value = `v.name`
	case idReference:
		value = `v.ci_id::text`
	}
	type namedRow struct {
		Value, CI, Class string
		Records          []int64
	}
	rows, err := db.Collect[namedRow](ctx, r.tx, "look up names", `
		select `+value+` as value, v.ci_id::text as ci, v.class, array(
			select m.record_id
			from assignment m join source_record s on s.id = m.record_id
			where m.ci_id = v.ci_id and m.valid_to = 'infinity'
			order by s.default_ci <> m.ci_id, s.created_at, s.id) as records
		from ci_version v
		where v.valid_to = 'infinity' and v.class = any(@classes) and `+value+` = any(@values)
		order by v.ci_id`, pgx.NamedArgs{"classes": classes, "by": by, "values": values})
	for _, row := range rows {
		ref := reference{class, by, row.Value}
		r.references[ref] = append(r.references[ref], namedCI{row.CI, r.baseClassOf(row.Class), row.Records})
	}
	return err
}

// lookUp returns the components that are known CIs, and those that are not. A record of the CI that
// has the relationship already keeps it.
func (r *resolution) lookUp(
	named []*discoveredComponent, held map[edge]heldEdge,
) (known, unknown []*discoveredComponent) {
	for _, p := range named {
		if cis := r.references[referenceOf(p.Component)]; len(cis) > 0 && len(cis[0].records) > 0 {
			p.record = cis[0].records[0]
			for _, record := range cis[0].records {
				same := *p
				same.record = record
				if _, related := held[same.edge()]; related {
					p.record = record
				}
			}
			known = append(known, p)
			continue
		}
		p.key = p.Class + "\nby " + p.By + "\n" + p.Key
		unknown = append(unknown, p)
	}
	return known, unknown
}

// checkReferences returns an error if the CIs of a document cannot be related to those that it
// names, and a warning for each CI that it creates. It leaves out a name that cannot be meant, with
// a warning; the relationships that the document had remain then.
func (t *importing) checkReferences(ctx context.Context, o *inventory.Observed) (warnings []string, err error) {
	named := o.Components
	o.Components = nil
	for _, component := range named {
		if component.By != "" {
			if err := t.checkEnds(ctx, o.Class, component); err != nil {
				return nil, err
			}
			warning, err := t.checkValue(ctx, component)
			if refused, is := errors.AsType[*inventory.Error](err); is {
				warning, o.Partial = refused.Message+"; the relationship was left out", true
			} else if err != nil {
				return nil, err
			}
			if warning != "" {
				warnings = append(warnings, warning)
			}
			if err != nil {
				continue
			}
		}
		o.Components = append(o.Components, component)
	}
	return warnings, nil
}

// checkValue returns an error if a CI cannot be named by the value of a component, and a warning if
// there is no such CI yet. It converts the value to its stored form.
func (t *importing) checkValue(ctx context.Context, component inventory.Component) (warning string, err error) {
	if component.By == inventory.AttributeName {
		problem := inventory.NameProblem(component.Key)
		switch {
		case problem != "":
			return "", db.Invalid("%s", problem)
		case len(component.Key) > cmdb.MaxText:
			return "", db.Invalid("a name has at most %d bytes", cmdb.MaxText)
		}
	} else {
		declared, err := t.attributes(ctx, component.Class)
		if err != nil {
			return "", err
		}
		checked, err := cmdb.ConvertAll(component.Class, declared, component.Attributes)
		if err != nil {
			return "", err
		}
		maps.Copy(component.Attributes, checked)
	}
	switch cis := t.references[referenceOf(component)]; len(cis) {
	case 0:
		return fmt.Sprintf("there is no %s with the %s %s yet: the import creates it",
			component.Class, component.By, component.Key), nil
	case 1:
		return "", nil
	default:
		return "", db.Invalid("there are %d CIs of the class %s with the %s %s: the reference is ambiguous",
			len(cis), component.Class, component.By, component.Key)
	}
}

// relationEnds are the classes between which a list declares relationships: of its own CIs and of
// those that it names.
type relationEnds struct {
	relationshipType, class, other, by string
	inverse                            bool // the relationship is to the other
}

// checkEnds checks that there can be such relationships as a component's.
func (t *importing) checkEnds(ctx context.Context, class string, component inventory.Component) error {
	ends := relationEnds{component.Relationship, class, component.Class, component.By, component.Inverse}
	checked, done := t.ends[ends]
	if !done {
		checked = t.findEnds(ctx, ends)
		t.ends[ends] = checked
	}
	return checked
}

func (t *importing) findEnds(ctx context.Context, e relationEnds) error {
	relationshipType, found, err := cmdb.FindRelationshipType(ctx, t.tx, e.relationshipType)
	if err != nil || !found {
		return db.OrElse(err, db.Invalid("there is no relationship type %s", e.relationshipType))
	}
	declared, err := t.attributes(ctx, e.other)
	if err != nil {
		return err
	}
	if e.by != inventory.AttributeName && !slices.ContainsFunc(declared, cmdb.Named(e.by)) {
		return db.Invalid("class %s has no attribute %s", e.other, e.by)
	}
	from, to := e.class, e.other
	if !e.inverse {
		from, to = to, from
	}
	ends := []struct{ is, must string }{{from, relationshipType.FromClass}, {to, relationshipType.ToClass}}
	for _, end := range ends {
		if end.is == "" {
			continue // the document does not report its class
		}
		above, err := cmdb.ClassAndAbove(ctx, t.tx, end.is)
		if err != nil {
			return err
		}
		if !slices.Contains(above, end.must) {
			return db.Invalid("%s is not a %s, which a %s needs", end.is, end.must, relationshipType.Name)
		}
	}
	return nil
}
