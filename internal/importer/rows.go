package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rowReader splits a table into rows (RFC 4180). Where the meaning is certain, it reads more than
// the standard allows: a quotation mark inside a field, space around a quoted field, missing
// delimiters at the end of a row. A row that it cannot split for certain has a problem, and the
// rows after it are read.
type rowReader struct {
	text      string
	offset    int
	delimiter byte
	number    int // of the last row, as a spreadsheet shows it: the header is row 1, empty rows count
	width     int // the fields of a row that are kept
	torn      int // the number of the last row without a closing quotation mark; 0: none, or its rest is over
	fields    []string
	cleaned   []int
	literal   []int
}

// row is one row of a table.
type row struct {
	number  int
	fields  []string // as many as the header has; valid until the next row is read
	cleaned []int    // the fields from which control characters were removed
	literal []int    // the fields that are values whatever they look like
	stray   bool     // a quoted field has a quotation mark that is not doubled
	problem string   // why the row cannot be used
}

// split describes how a row was split.
type split struct {
	count     int  // of fields
	surplus   bool // there is text beyond the fields that are kept
	blank     bool
	stray     bool // a quotation mark inside quotes is not doubled
	multiline bool // a quoted field has a line break
	open      bool // a quotation mark has no counterpart
	end       bool // of the row
}

// newRows reads the header of a table. The delimiter is the declared one, or that with which the
// header has the most fields.
func newRows(text string) (rowReader, []string, error) {
	text, declared := prepare(text)
	var best rowReader
	var header row
	for _, delimiter := range []byte{',', ';', '\t'} {
		r := rowReader{text: text, delimiter: delimiter, width: maxColumns}
		first, s, found := r.read()
		if !found {
			return r, nil, errors.New("line 1: the file is empty; want a row with the column names")
		}
		if s.surplus {
			return r, nil, fmt.Errorf("line %d: the table has %d columns, at most %d are allowed; "+
				"remove the columns that are not needed", first.number, s.count, maxColumns)
		}
		if delimiter == declared || declared == 0 && len(first.fields) > len(header.fields) {
			best, header = r, first
		}
	}
	if header.problem != "" {
		return best, nil, fmt.Errorf("line %d: %s", header.number, header.problem)
	}
	best.width = len(header.fields)
	best.fields = nil // the header keeps them
	return best, header.fields, nil
}

// prepare converts lines that end in CR alone, and reads the delimiter from a first line "sep=;",
// which Excel writes. That line becomes empty, so that row numbers stay right.
func prepare(text string) (rest string, delimiter byte) {
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	line, _, _ := strings.Cut(text, "\n")
	sep, declared := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "sep=")
	if declared && (sep == "," || sep == ";" || sep == "\t") {
		return text[len("sep=")+len(sep):], sep[0]
	}
	return text, 0
}

// next returns the next row that is not empty, with as many fields as the header.
func (r *rowReader) next() (row, bool) {
	read, s, found := r.read()
	if !found || read.problem != "" {
		return read, found
	}
	switch {
	case s.surplus:
		read.problem = fmt.Sprintf("the row has %d fields, the header has %d", s.count, r.width)
	case s.count < r.width && s.stray:
		read.problem = fmt.Sprintf("the row has a quotation mark that is not doubled, and %d fields; the header has %d",
			s.count, r.width)
	case s.count < r.width && r.torn > 0:
		read.problem = fmt.Sprintf("the row has %d fields, the header has %d: it may be the rest of row %d",
			s.count, r.width, r.torn)
	case s.count >= r.width:
		r.torn = 0
	}
	for len(read.fields) < r.width {
		read.fields = append(read.fields, "")
	}
	r.fields = read.fields
	return read, true
}

// read returns the next row that is not empty. If it has no closing quotation mark, or may have
// swallowed the lines after it, only its first line is skipped.
func (r *rowReader) read() (row, split, bool) {
	for r.offset < len(r.text) {
		r.number++
		begin := r.offset
		s := r.split()
		read := row{number: r.number, fields: r.fields, cleaned: r.cleaned, literal: r.literal, stray: s.stray}
		if s.open {
			r.offset = begin + lineLength(r.text[begin:])
			r.torn = r.number
			read.problem = "a quotation mark has no counterpart; double a quotation mark inside quotes"
		}
		if !s.blank || s.open {
			return read, s, true
		}
	}
	return row{}, split{}, false
}

// unknown reports whether a field has no value.
func (r row) unknown(index int) bool {
	return isOneOf(r.fields[index], words.Unknown) && !slices.Contains(r.literal, index)
}

// lineLength returns the length of the first line, including its end.
func lineLength(text string) int {
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end + 1
	}
	return len(text)
}

// split reads the fields of a row.
func (r *rowReader) split() split {
	s := split{blank: true}
	r.fields, r.cleaned, r.literal = r.fields[:0], r.cleaned[:0], r.literal[:0]
	for !s.end && !s.open {
		text, cleaned, literal := cell(r.field(&s))
		s.count++
		s.blank = s.blank && text == ""
		switch {
		case len(r.fields) < r.width:
			if cleaned {
				r.cleaned = append(r.cleaned, len(r.fields))
			}
			if literal {
				r.literal = append(r.literal, len(r.fields))
			}
			r.fields = append(r.fields, text)
		case text != "":
			s.surplus = true
		}
	}
	return s
}

// field reads a field and the delimiter or line end behind it.
func (r *rowReader) field(s *split) string {
	rest := r.text[r.offset:]
	if begin := strings.TrimLeft(rest, " "); strings.HasPrefix(begin, `"`) {
		r.offset += len(rest) - len(begin) + 1
		return r.quoted(s)
	}
	end := 0
	for end < len(rest) && rest[end] != r.delimiter && rest[end] != '\n' {
		end++
	}
	r.offset += end
	r.endField(s)
	return rest[:end]
}

// quoted reads the rest of a quoted field. A quotation mark that no delimiter follows is a
// character, unless the field also has a line break: then the mark that begins the field is
// probably not meant as one.
func (r *rowReader) quoted(s *split) string {
	begin := r.offset
	for {
		length := strings.IndexByte(r.text[r.offset:], '"')
		if length < 0 {
			s.open = true
			return ""
		}
		s.multiline = s.multiline || strings.Contains(r.text[r.offset:r.offset+length], "\n")
		r.offset += length + 1
		rest := r.text[r.offset:]
		switch {
		case strings.HasPrefix(rest, `"`):
			r.offset++
		case r.closes(rest):
			text := r.text[begin : r.offset-1]
			r.offset += len(rest) - len(strings.TrimLeft(rest, " \r"))
			r.endField(s)
			s.open = s.stray && s.multiline
			return strings.ReplaceAll(strings.ReplaceAll(text, `""`, `"`), "\r\n", "\n")
		default:
			s.stray = true
			if s.multiline {
				s.open = true
				return ""
			}
		}
	}
}

// closes reports whether a field can end before the rest of the text.
func (r *rowReader) closes(rest string) bool {
	rest = strings.TrimLeft(rest, " \r")
	return rest == "" || rest[0] == r.delimiter || rest[0] == '\n'
}

// endField skips the delimiter or the line end.
func (r *rowReader) endField(s *split) {
	if r.offset == len(r.text) || r.text[r.offset] == '\n' {
		s.end = true
	}
	r.offset = min(r.offset+1, len(r.text))
}
