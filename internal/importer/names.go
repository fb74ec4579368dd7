package importer

import (
	"fmt"
	"maps"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// checkNames rejects a mapping that names a class or attribute that does not exist.
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
		named := func(c inventory.Class) bool { return c.Name == class }
		if o.Classes != nil && !slices.ContainsFunc(o.Classes, named) {
			return fmt.Errorf("mapping: there is no class %s", class)
		}
	}
	attributes := []string{}
	for _, column := range t.mapping.Columns {
		attributes = append(attributes, column.Attribute)
	}
	slices.Sort(attributes)
	for _, attribute := range attributes {
		named := func(a inventory.Attribute) bool { return a.Name == attribute }
		if o.Attributes != nil && attribute != "name" && !slices.ContainsFunc(o.Attributes, named) {
			return fmt.Errorf("mapping: there is no attribute %s", attribute)
		}
	}
	match := t.mapping.Match
	if match != "" && match != matchID && len(attributes) > 0 && !slices.Contains(attributes, match) {
		return fmt.Errorf("mapping: match is %s, but no column has that attribute", match)
	}
	return nil
}

// matchID is the mapping's name for the id of a CI, which is not an attribute.
const matchID = "id"

// match returns the value by which a row finds its CI.
func (t *table) match(r row, attributes inventory.Attributes) inventory.Match {
	if t.mapping.Match == matchID {
		return inventory.Match{By: matchID, Value: r.fields[t.idColumn]}
	}
	value, _ := attributes[t.mapping.Match].(string)
	return inventory.Match{By: t.mapping.Match, Value: value}
}

// classNamed returns the class with a name or a label.
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
