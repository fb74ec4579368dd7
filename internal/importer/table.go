package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// table holds how the rows of one table are converted.
type table struct {
	header  []string
	columns []column
	key     []int          // indexes of the key columns
	seen    map[string]int // key → row number
	mapping Mapping

	classes     []inventory.Class
	relations   []relation
	idColumn    int      // -1: none
	classColumn int      // -1: none
	classOfAll  string   // the class of every row; "": by classColumn
	ignored     []string // warnings about columns
}

// column is a column with an attribute.
type column struct {
	Column

	index      int
	valueType  string   // of the attribute, as inventory.Attribute has it
	choices    []string // of a choice
	dates      dateOrder
	decimals   decimalOrder
	currencies map[string]bool // found beside the numbers
}

func newTable(header []string, o Options) (*table, error) {
	t := &table{
		header: header, mapping: o.Mapping, seen: map[string]int{}, classes: o.Classes,
		idColumn: -1, classColumn: -1, classOfAll: o.Mapping.Class.Name,
	}
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
		return nil, errors.New("line 1: no column has a well-known name; send a mapping that defines the columns")
	}
	if name := o.Mapping.Class.Column; name != "" {
		if t.classColumn, err = t.find(name); err != nil {
			return nil, err
		}
	}
	return t, t.findKey()
}

// find returns the column with a name: an exact match, else one that ignores case and punctuation.
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
			return 0, fmt.Errorf("line 1: the mapping names the column %q, which occurs twice", name)
		}
		return first, nil
	}
	return 0, fmt.Errorf("line 1: the mapping names the column %q, which does not exist", name)
}

// mapped adds the columns that the mapping names.
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
	valueType, choices := typeOf(c.Attribute, declared)
	switch {
	case c.Format != "":
		valueType = "date"
	case c.Decimal != "" && valueType == "text":
		valueType = "number"
	}
	return column{
		Column: c, index: index, valueType: valueType, choices: choices,
		dates: dateOrder{}, currencies: map[string]bool{},
	}
}

// recognize adds the columns with well-known names.
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
			t.ignored = append(t.ignored,
				fmt.Sprintf("column %q is ignored: its name is not known", t.columnName(index)))
		case by[attribute] != "":
			t.ignored = append(t.ignored,
				fmt.Sprintf("column %q is ignored: column %q has the attribute %s too", name, by[attribute], attribute))
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

// findKey chooses the columns that identify a row.
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
		return fmt.Errorf("line 1: no column identifies a row; add one of %s, or set \"key\" in the mapping",
			strings.Join(words.Key, ", "))
	}
	return nil
}

// keyOf returns the key of a row. Two rows with the same key are a problem.
func (t *table) keyOf(r row) (key, problem string) {
	parts := make([]string, len(t.key))
	for i, index := range t.key {
		parts[i] = r.fields[index]
		if r.unknown(index) {
			return "", fmt.Sprintf("column %q: the key of the row is empty", t.header[index])
		}
		if len(parts) > 1 {
			parts[i] = strings.NewReplacer(`\`, `\\`, "|", `\|`).Replace(parts[i])
		}
	}
	key = strings.Join(parts, "|")
	if before, twice := t.seen[key]; twice {
		return "", fmt.Sprintf("column %q: row %d has the key %q too", t.header[t.key[0]], before, key)
	}
	t.seen[key] = r.number
	return key, ""
}

// class returns the class of a row's CI.
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
	doc.warnf("column %q: there is no class %q; it is ignored", t.header[t.classColumn], text)
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

// warnings returns the warnings about the table as a whole.
func (t *table) warnings() []string {
	list := t.ignored
	for _, c := range t.columns {
		var found []string
		for currency := range c.currencies {
			found = append(found, currency)
		}
		slices.Sort(found)
		if len(found) > 0 {
			list = append(list, fmt.Sprintf("column %q: the currency %s is ignored; put it into a column of its own",
				t.header[c.index], strings.Join(found, ", ")))
		}
	}
	return list
}
