package ingest

import (
	"slices"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

// named is how a document names a thing: by the value of an attribute.
type named struct{ by, value string }

// takeWithin takes from documents what they say of their relationships to others of the same list,
// and gives these documents as they were. All of the list must be there before they can be related,
// in whatever order they stand; until then nothing that they were related to ends.
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

// namesOf gives what the things of documents are called, by the attributes by which others of them
// name things.
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

// merge adds what became of documents the second time: what is not said again stays as it was said.
func merge(rows, again []inventory.ImportRow) {
	byPosition := make(map[string]*inventory.ImportRow, len(rows))
	for i := range rows {
		byPosition[rows[i].Position] = &rows[i]
	}
	for _, second := range again {
		first := byPosition[second.Position]
		switch {
		case second.Outcome == outcomeRejected && first.Outcome != outcomeRejected:
			first.Warnings = append(first.Warnings, "what it says of others of the list was left out: "+second.Problem)
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
