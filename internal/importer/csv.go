package importer

import (
	"fmt"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// readCSV reads a table with a header (RFC 4180), separated by commas, semicolons or tabs. Each row
// becomes a document; a rejected row has a Problem. It reads the rows twice, because the values of
// a column show how its dates and numbers are written, and keeps only the documents.
func readCSV(text string, o Options) ([]Document, error) {
	if err := o.Mapping.check(); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	rows, header, err := newRows(text)
	if err != nil {
		return nil, err
	}
	t, err := newTable(header, o)
	if err != nil {
		return nil, err
	}
	count := 0
	for again := rows; ; count++ {
		r, found := again.next()
		if !found {
			break
		}
		if count == maxRows {
			return nil, fmt.Errorf("row %d: the table has more than %d rows; divide it into several files",
				r.number, maxRows)
		}
		t.observe(r)
	}
	docs := make([]Document, 0, count)
	for range count {
		r, _ := rows.next()
		docs = append(docs, t.document(r))
	}
	if len(docs) > 0 {
		docs[0].FileWarnings = t.warnings()
	}
	return docs, nil
}

// observe takes from a row how the dates and numbers of its columns are written.
func (t *table) observe(r row) {
	if r.problem != "" {
		return
	}
	for i := range t.columns {
		c := &t.columns[i]
		switch text := r.fields[c.index]; c.valueType {
		case "date":
			c.dates.observe(text)
		case "number", "integer":
			c.observeNumber(text)
		}
	}
}

// document converts a row.
func (t *table) document(r row) Document {
	doc := Document{Position: fmt.Sprintf("row %d", r.number)}
	if problem := t.fill(&doc, r); problem != "" {
		return Document{Position: doc.Position, Problem: doc.Position + ": " + problem}
	}
	return doc
}

func (t *table) fill(doc *Document, r row) (problem string) {
	if r.problem != "" {
		return r.problem
	}
	if r.stray {
		doc.warnf("a quotation mark inside quotes is not doubled; it was read as a character")
	}
	if doc.NativeKey, problem = t.keyOf(r); problem != "" {
		return problem
	}
	if doc.Observed.Attributes, problem = t.attributes(doc, r); problem != "" {
		return problem
	}
	if doc.Observed.Class, problem = t.class(doc, r); problem != "" {
		return problem
	}
	doc.Observed.Components = t.related(r)
	doc.Match = t.match(r, doc.Observed.Attributes)
	return ""
}

// attributes returns the values of a row. It leaves out a value that cannot be read, with a
// warning, unless the value identifies the row.
func (t *table) attributes(doc *Document, r row) (values inventory.Attributes, problem string) {
	values = inventory.Attributes{}
	for i := range t.columns {
		c := &t.columns[i]
		text := r.fields[c.index]
		if r.unknown(c.index) {
			continue
		}
		value, err := c.convert(text)
		switch {
		case err == nil:
			values[c.Attribute] = value
		case slices.Contains(t.key, c.index) || c.Attribute == t.mapping.Match:
			return nil, fmt.Sprintf("column %q: %v; the row needs the value to be identified", t.header[c.index], err)
		default:
			doc.warnf("column %q: %v; the value was left out", t.header[c.index], err)
		}
		if slices.Contains(r.cleaned, c.index) {
			doc.warnf("column %q: control characters were removed from %q", t.header[c.index], text)
		}
	}
	return values, ""
}

func (d *Document) warnf(format string, args ...any) {
	d.Warnings = append(d.Warnings, d.Position+": "+fmt.Sprintf(format, args...))
}
