package importer

import (
	"cmp"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// relation is a column that names other CIs.
type relation struct {
	Relation

	index int
}

// relate adds the columns that name other CIs.
func (t *table) relate() error {
	for name, r := range t.mapping.Relationships {
		index, err := t.find(name)
		if err != nil {
			return err
		}
		r.By = cmp.Or(r.By, "name")
		t.relations = append(t.relations, relation{r, index})
	}
	slices.SortFunc(t.relations, func(a, b relation) int { return a.index - b.index })
	return nil
}

// related returns the CIs that a row names.
func (t *table) related(r row) []inventory.Component {
	var parts []inventory.Component
	for _, relation := range t.relations {
		value := r.fields[relation.index]
		if r.unknown(relation.index) {
			continue
		}
		parts = append(parts, inventory.Component{
			Class: relation.Class, Key: value, By: relation.By, Attributes: inventory.Attributes{relation.By: value},
			Relationship: relation.Type, Inverse: !relation.Inverse,
		})
	}
	return parts
}
