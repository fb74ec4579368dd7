package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// readCSV reads a table with a header (RFC 4180), separated by commas, semicolons or tabs. Each row
// becomes a document; a rejected row has a Problem.
func readCSV(data []byte, o Options) ([]Document, error) {
	if err := o.Mapping.check(); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	text, err := decodeText(data)
	if err != nil {
		return nil, err
	}
	header, rows, err := readTable(text)
	if err != nil {
		return nil, err
	}
	t, err := newTable(header, o)
	if err != nil {
		return nil, err
	}
	t.detectDateOrder(rows)
	docs := make([]Document, 0, len(rows))
	for _, row := range rows {
		docs = append(docs, t.document(row))
	}
	if len(docs) > 0 {
		docs[0].FileWarnings = t.warnings()
	}
	return docs, nil
}

// row is one row of a table and its number as a spreadsheet shows it: the header is row 1, and
// empty rows count.
type row struct {
	number int
	fields []string
}

// readTable splits the text into rows and skips rows without any value.
func readTable(text string) (header []string, rows []row, err error) {
	text, delimiter := prepare(text)
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = delimiter
	reader.FieldsPerRecord = -1
	number, offset := 0, int64(0)
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, plainCSV(err)
		}
		number += 1 + emptyLines(text[offset:reader.InputOffset()])
		offset = reader.InputOffset()
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		switch {
		case strings.Join(fields, "") == "":
		case header == nil:
			header = fields
		case len(rows) == maxRows:
			return nil, nil, fmt.Errorf("row %d: more than %d rows", number, maxRows)
		default:
			rows = append(rows, row{number, fields})
		}
	}
	if header == nil {
		return nil, nil, errors.New("line 1: the file is empty; want a row with the column names")
	}
	return header, rows, nil
}

// prepare converts lines that end in CR alone, and reads the delimiter from a first line "sep=;",
// which Excel writes. That line becomes empty, so that row numbers stay right.
func prepare(text string) (string, rune) {
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	line, _, _ := strings.Cut(text, "\n")
	sep, declared := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "sep=")
	if declared && (sep == "," || sep == ";" || sep == "\t") {
		return text[len("sep=")+len(sep):], rune(sep[0])
	}
	return text, delimiterOf(text)
}

// plainCSV writes the position of an error as the other formats do.
func plainCSV(err error) error {
	if syntax, is := errors.AsType[*csv.ParseError](err); is {
		return fmt.Errorf("line %d, column %d: %w", syntax.Line, syntax.Column, syntax.Err)
	}
	return err
}

// emptyLines counts the empty lines before a row, which csv.Reader skips silently.
func emptyLines(raw string) int {
	count := 0
	for {
		rest, found := strings.CutPrefix(strings.TrimPrefix(raw, "\r"), "\n")
		if !found {
			return count
		}
		raw = rest
		count++
	}
}

// delimiterOf returns the most frequent delimiter of the header, outside quotes.
func delimiterOf(text string) rune {
	count := map[rune]int{}
	quoted, begun := false, false
	for _, r := range text {
		if r == '"' {
			quoted = !quoted
		}
		if (r == '\n' || r == '\r') && !quoted && begun {
			break
		}
		begun = begun || r != '\n' && r != '\r'
		if !quoted {
			count[r]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t'} {
		if count[r] > count[best] {
			best = r
		}
	}
	return best
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
	if !t.fits(r.fields) {
		return fmt.Sprintf("the row has %d fields, the header has %d", len(r.fields), len(t.header))
	}
	if doc.NativeKey, problem = t.keyOf(r); problem != "" {
		return problem
	}
	attributes := inventory.Attributes{}
	for _, c := range t.columns {
		text := r.fields[c.index]
		if isOneOf(text, words.Unknown) {
			continue
		}
		value, err := c.convert(text)
		if err != nil {
			return fmt.Sprintf("column %q: %v", t.header[c.index], err)
		}
		attributes[c.Attribute] = value
	}
	if doc.Observed.Class, problem = t.class(doc, r); problem != "" {
		return problem
	}
	doc.Observed.Attributes = attributes
	doc.Observed.Components = t.related(r)
	doc.Match = t.match(r, attributes)
	return ""
}

// fits allows extra empty fields, which some spreadsheets write.
func (t *table) fits(fields []string) bool {
	return len(fields) >= len(t.header) && strings.Join(fields[len(t.header):], "") == ""
}
