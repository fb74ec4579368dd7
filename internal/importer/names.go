package importer

import (
	"fmt"
	"maps"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// checkNames finds what a mapping names that there is not: every row would be without it.
func (t *table) checkNames(o Options) error {
	classes := slices.Collect(maps.Values(t.mapping.Class.Values))
	if t.mapping.Class.Name != "" {
		classes = append(classes, t.mapping.Class.Name)
	}
	for _, relation := range t.mapping.Relationships {
		classes = append(classes, relation.Class)
	}
	slices.Sort(classes)
	for _, class := range classes {
		if o.Classes != nil && !slices.ContainsFunc(o.Classes, func(c inventory.Class) bool { return c.Name == class }) {
			return fmt.Errorf("mapping: there is no class %s", class)
		}
	}
	attributes := []string{}
	for _, column := range t.mapping.Columns {
		attributes = append(attributes, column.Attribute)
	}
	slices.Sort(attributes)
	for _, attribute := range attributes {
		if o.Attributes != nil && attribute != "name" && !slices.ContainsFunc(o.Attributes, func(a inventory.Attribute) bool { return a.Name == attribute }) {
			return fmt.Errorf("mapping: there is no attribute %s", attribute)
		}
	}
	if match := t.mapping.Match; match != "" && match != matchID && len(attributes) > 0 && !slices.Contains(attributes, match) {
		return fmt.Errorf("mapping: rows are matched by %s, which no column is", match)
	}
	return nil
}

// matchID is how a mapping calls the id of a CI, which is no attribute.
const matchID = "id"

// match gives the value by which a row is about a CI that is known.
func (t *table) match(r row, attributes inventory.Attributes) inventory.Match {
	if t.mapping.Match == matchID {
		return inventory.Match{By: matchID, Value: r.fields[t.idColumn]}
	}
	value, _ := attributes[t.mapping.Match].(string)
	return inventory.Match{By: t.mapping.Match, Value: value}
}

// classNamed gives the class of a name or a label.
func (t *table) classNamed(text string) (string, bool) {
	folded := fold(text)
	for _, of := range []func(inventory.Class) string{
		func(c inventory.Class) string { return c.Name }, func(c inventory.Class) string { return c.Label },
	} {
		i := slices.IndexFunc(t.classes, func(c inventory.Class) bool { return folded != "" && fold(of(c)) == folded })
		if i >= 0 {
			return t.classes[i].Name, true
		}
	}
	return "", false
}
