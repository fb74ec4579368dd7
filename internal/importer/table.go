package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// table is how the rows of one table are read.
type table struct {
	header  []string
	columns []column
	key     []int // columns
	seen    map[string]int
	mapping Mapping

	classes     []inventory.Class
	relations   []relation
	idColumn    int    // -1: none
	classColumn int    // -1: none
	classOfAll  string // of all rows
	notes       []string
}

// column is one that means something.
type column struct {
	Column

	index int
	kind  string // the type of the attribute
	days  dayOfList
	money map[string]bool // currencies that stand with the numbers
}

func newTable(header []string, o Options) (*table, error) {
	t := &table{header: header, mapping: o.Mapping, seen: map[string]int{}, classes: o.Classes, idColumn: -1, classColumn: -1, classOfAll: o.Mapping.Class.Name}
	if err := t.checkNames(o); err != nil {
		return nil, err
	}
	if err := t.relate(); err != nil {
		return nil, err
	}
	var err error
	if o.Mapping.Match == matchID {
		if t.idColumn, err = t.find(matchID); err != nil {
			return nil, err
		}
	}
	if len(o.Mapping.Columns) > 0 {
		err = t.mapped(o.Attributes)
	} else {
		t.recognize(o.Attributes)
	}
	if err != nil {
		return nil, err
	}
	if len(t.columns) == 0 {
		return nil, errors.New("line 1: no column has a known name, and no mapping says what they mean")
	}
	if name := o.Mapping.Class.Column; name != "" {
		if t.classColumn, err = t.find(name); err != nil {
			return nil, err
		}
	}
	return t, t.findKey()
}

// find gives the column of a name: as it is written, else as it is folded.
func (t *table) find(name string) (int, error) {
	for _, same := range []func(string) bool{
		func(s string) bool { return s == strings.TrimSpace(name) },
		func(s string) bool { return fold(s) == fold(name) },
	} {
		first := slices.IndexFunc(t.header, same)
		if first < 0 {
			continue
		}
		if slices.ContainsFunc(t.header[first+1:], same) {
			return 0, fmt.Errorf("line 1: the mapping names the column %q, of which there are two", name)
		}
		return first, nil
	}
	return 0, fmt.Errorf("line 1: the mapping names the column %q, which is not there", name)
}

// mapped takes the columns that the mapping names.
func (t *table) mapped(declared []inventory.Attribute) error {
	for name, c := range t.mapping.Columns {
		index, err := t.find(name)
		if err != nil {
			return err
		}
		t.columns = append(t.columns, newColumn(c, index, declared))
	}
	slices.SortFunc(t.columns, func(a, b column) int { return a.index - b.index })
	return nil
}

func newColumn(c Column, index int, declared []inventory.Attribute) column {
	kind := typeOf(c.Attribute, declared)
	switch {
	case c.Format != "":
		kind = "date"
	case c.Decimal != "" && kind == "text":
		kind = "number"
	}
	return column{Column: c, index: index, kind: kind, money: map[string]bool{}}
}

// recognize takes the columns whose names are known.
func (t *table) recognize(declared []inventory.Attribute) {
	known := meanings(declared)
	by := map[string]string{}
	for index, name := range t.header {
		attribute := known[fold(name)]
		switch {
		case name == t.mapping.Class.Column && name != "":
		case index == t.idColumn:
		case attribute == "" && slices.ContainsFunc(t.relations, func(r relation) bool { return r.index == index }):
		case attribute == "":
			t.notes = append(t.notes, fmt.Sprintf("column %q is left out: its name is not known", t.columnName(index)))
		case by[attribute] != "":
			t.notes = append(t.notes, fmt.Sprintf("column %q is left out: the column %q is %s too", name, by[attribute], attribute))
		case attribute == classColumn:
			by[attribute] = name
			if t.classOfAll == "" {
				t.classColumn = index
			}
		default:
			by[attribute] = name
			t.columns = append(t.columns, newColumn(Column{Attribute: attribute}, index, declared))
		}
	}
}

func (t *table) columnName(index int) string {
	if t.header[index] == "" {
		return fmt.Sprintf("%d", index+1)
	}
	return t.header[index]
}

// findKey finds the columns that name a row.
func (t *table) findKey() error {
	for _, name := range t.mapping.Key {
		index, err := t.find(name)
		if err != nil {
			return err
		}
		t.key = append(t.key, index)
	}
	if len(t.key) == 0 && t.idColumn >= 0 {
		t.key = []int{t.idColumn}
	}
	for _, attribute := range words.Key {
		for _, c := range t.columns {
			if len(t.key) == 0 && c.Attribute == attribute {
				t.key = []int{c.index}
			}
		}
	}
	if len(t.key) == 0 {
		return fmt.Errorf("line 1: no column names a row; one of %s would, or the mapping must say which", strings.Join(words.Key, ", "))
	}
	return nil
}

// learn finds out what only all rows together tell: the order of day and month.
func (t *table) learn(rows []row) {
	for i := range t.columns {
		c := &t.columns[i]
		if c.kind != "date" || c.Format != "" {
			continue
		}
		var texts []string
		for _, r := range rows {
			if c.index < len(r.fields) {
				texts = append(texts, r.fields[c.index])
			}
		}
		c.days = orderOfDays(texts)
	}
}

// keyOf gives what names a row. No two rows may have one name.
func (t *table) keyOf(r row) (key, problem string) {
	parts := make([]string, len(t.key))
	for i, index := range t.key {
		parts[i] = r.fields[index]
		if isOneOf(parts[i], words.Unknown) {
			return "", fmt.Sprintf("column %q: it is empty, and names the row", t.header[index])
		}
		if len(parts) > 1 {
			parts[i] = strings.NewReplacer(`\`, `\\`, "|", `\|`).Replace(parts[i])
		}
	}
	key = strings.Join(parts, "|")
	if before, twice := t.seen[key]; twice {
		return "", fmt.Sprintf("column %q: row %d is %q too", t.header[t.key[0]], before, key)
	}
	t.seen[key] = r.number
	return key, ""
}

// class gives the class of a row's thing.
func (t *table) class(doc *Document, r row) (class, problem string) {
	if t.classColumn < 0 {
		return t.classOfAll, ""
	}
	text := r.fields[t.classColumn]
	if isOneOf(text, words.Unknown) {
		return "", ""
	}
	if len(t.mapping.Class.Values) > 0 {
		if class, known := translate(text, t.mapping.Class.Values); known {
			return class, ""
		}
		return "", fmt.Sprintf("column %q: the mapping has no class for %q", t.header[t.classColumn], text)
	}
	if class, known := t.classNamed(text); known {
		return class, ""
	}
	if class, known := classOf(text); known {
		return class, ""
	}
	if t.mapping.Class.Column != "" {
		return text, ""
	}
	doc.Warnings = append(doc.Warnings, fmt.Sprintf("%s: column %q: %q is no known class: none is taken", doc.Place, t.header[t.classColumn], text))
	return "", ""
}

func translate(text string, values map[string]string) (string, bool) {
	if value, found := values[text]; found {
		return value, true
	}
	for from, to := range values {
		if strings.EqualFold(from, text) {
			return to, true
		}
	}
	return "", false
}

// warnings are those about the table as a whole.
func (t *table) warnings() []string {
	notes := t.notes
	for _, c := range t.columns {
		var found []string
		for currency := range c.money {
			found = append(found, currency)
		}
		slices.Sort(found)
		if len(found) > 0 {
			notes = append(notes, fmt.Sprintf("column %q: the currency %s is left out: it needs a column of its own",
				t.header[c.index], strings.Join(found, ", ")))
		}
	}
	return notes
}
