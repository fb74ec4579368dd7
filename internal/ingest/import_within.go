package ingest

import (
	"slices"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

// named identifies a CI by the value of an attribute, as documents do.
type named struct{ by, value string }

// takeWithin removes from docs the relationships between rows of the list. It returns the documents
// that had such relationships, unchanged, for a second pass: all rows must exist before they can be
// related, whatever their order. Partial keeps the stored relationships until then.
func takeWithin(docs []importer.Document) (within []importer.Document) {
	names := namesOf(docs)
	for i := range docs {
		d := &docs[i]
		inList := func(p inventory.Component) bool { return p.By != "" && names[nameOf(p)] }
		if d.Problem == "" && slices.ContainsFunc(d.Observed.Components, inList) {
			within = append(within, *d)
			d.Observed.Components = slices.DeleteFunc(slices.Clone(d.Observed.Components), inList)
			d.Observed.Partial = true
		}
	}
	return within
}

func nameOf(p inventory.Component) named { return named{p.By, p.Key} }

// namesOf returns the values by which the documents can refer to each other, for each attribute
// that some relationship uses.
func namesOf(docs []importer.Document) map[named]bool {
	attributes := map[string]bool{}
	for _, d := range docs {
		for _, p := range d.Observed.Components {
			if p.By != "" {
				attributes[p.By] = true
			}
		}
	}
	names := map[named]bool{}
	for _, d := range docs {
		for attribute := range attributes {
			if value, _ := d.Observed.Attributes[attribute].(string); value != "" {
				names[named{attribute, value}] = true
			}
		}
	}
	return names
}

// merge adds the results of the second pass, in which relationships were imported, to those of the
// first.
func merge(rows, again []inventory.ImportRow) {
	byPosition := make(map[string]*inventory.ImportRow, len(rows))
	for i := range rows {
		byPosition[rows[i].Position] = &rows[i]
	}
	for _, second := range again {
		first := byPosition[second.Position]
		switch {
		case second.Outcome == outcomeRejected && first.Outcome != outcomeRejected:
			first.Warnings = append(
				first.Warnings, "the relationships to other rows were not imported: "+second.Problem,
			)
		case first.Outcome == outcomeUnchanged:
			first.Outcome = second.Outcome
		}
		for _, warning := range second.Warnings {
			if !slices.Contains(first.Warnings, warning) {
				first.Warnings = append(first.Warnings, warning)
			}
		}
	}
}
