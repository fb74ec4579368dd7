package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Mapping says what the columns of a table mean. Columns are called by the names in the table's first row.
type Mapping struct {
	// Key are the columns whose values name a row among the rows, now and in later versions of the table. None: the
	// first of asset tag, serial number, UUID, MAC address, host name and name that has a column.
	Key []string `json:"key,omitempty"`

	// Match is an attribute that tells which CI a row is about: the one that has the value. It is the word of whoever wrote
	// the mapping, who knows that their asset tags are unique. It may be "id", of a list that was exported. "": it is found
	// out by evidence, such as a maker's serial number.
	Match string `json:"match,omitempty"`

	Class ClassMapping `json:"class,omitzero"`

	// Columns says which attributes they are; others are left out. None: known names are recognized.
	Columns map[string]Column `json:"columns,omitempty"`

	// Relationships says which columns name other things, and what the row's thing has to do with them.
	Relationships map[string]Relation `json:"relationships,omitempty"`
}

// Relation says what a row's thing has to do with the one that a column names, e.g. that it is located_in a location.
type Relation struct {
	Type    string `json:"type"`
	Class   string `json:"class"`             // of the other
	By      string `json:"by,omitempty"`      // the attribute of the other that has the value; "": its name
	Inverse bool   `json:"inverse,omitempty"` // the relationship is from the other to the row's thing
}

// ClassMapping says of which class the things of a table are: all of one, or each of what a column says. In JSON it may
// be the name alone.
type ClassMapping struct {
	Name   string            `json:"name,omitempty"`
	Column string            `json:"column,omitempty"`
	Values map[string]string `json:"values,omitempty"` // from the column's values, in any case; none: they are classes
}

// Column says what a column means. In JSON it may be the attribute's name alone.
type Column struct {
	Attribute string            `json:"attribute"`
	Format    string            `json:"format,omitempty"`  // of a date, as "02.01.2006": Go's layout
	Decimal   string            `json:"decimal,omitempty"` // of a number: "," or "."
	Values    map[string]string `json:"values,omitempty"`  // from the column's values, in any case
}

// UnmarshalJSON reads the name of a class, or an object.
func (c *ClassMapping) UnmarshalJSON(data []byte) error {
	type plain ClassMapping
	return nameOr(data, &c.Name, (*plain)(c))
}

// UnmarshalJSON reads the name of an attribute, or an object.
func (c *Column) UnmarshalJSON(data []byte) error {
	type plain Column
	return nameOr(data, &c.Attribute, (*plain)(c))
}

// nameOr reads a text into the name, or an object, in which every member must be known.
func nameOr(data []byte, name *string, object any) error {
	if bytes.HasPrefix(data, []byte{'"'}) {
		return json.Unmarshal(data, name)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(object)
}

// ParseMapping reads a mapping from JSON and checks it. An unknown member is an error.
func ParseMapping(data []byte) (Mapping, error) {
	var m Mapping
	type plain Mapping
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode((*plain)(&m)); err != nil {
		return Mapping{}, fmt.Errorf("read mapping: %w", err)
	}
	if err := m.check(); err != nil {
		return Mapping{}, fmt.Errorf("read mapping: %w", err)
	}
	return m, nil
}

// check finds what can be wrong whatever the table is.
func (m Mapping) check() error {
	if m.Class.Name != "" && m.Class.Column != "" {
		return fmt.Errorf("the class is both %q and what the column %q says", m.Class.Name, m.Class.Column)
	}
	if m.Class.Column == "" && len(m.Class.Values) > 0 {
		return fmt.Errorf("the class has values and no column")
	}
	for name, relation := range m.Relationships {
		if relation.Type == "" || relation.Class == "" {
			return fmt.Errorf("column %q: a relationship has a type, and the class of the things that the column names", name)
		}
	}
	by := map[string]string{}
	for name, column := range m.Columns {
		if err := column.check(); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		if other, twice := by[column.Attribute]; twice {
			return fmt.Errorf("the columns %q and %q both are %s", min(name, other), max(name, other), column.Attribute)
		}
		by[column.Attribute] = name
	}
	return nil
}

func (c Column) check() error {
	if c.Attribute == "" {
		return fmt.Errorf("no attribute")
	}
	if c.Decimal != "" && c.Decimal != "," && c.Decimal != "." {
		return fmt.Errorf("the decimal sign is %q, want \",\" or \".\"", c.Decimal)
	}
	if c.Format != "" && c.Decimal != "" {
		return fmt.Errorf("a format is for dates, and a decimal sign for numbers")
	}
	if c.Format != "" && !tellsDays(c.Format) {
		return fmt.Errorf("the format %q does not tell year, month and day; write the second of January 2006 in it, as in 02.01.2006", c.Format)
	}
	return nil
}

// tellsDays tries whether a layout keeps a date apart from others.
func tellsDays(layout string) bool {
	probe := time.Date(2013, time.November, 17, 0, 0, 0, 0, time.UTC)
	back, err := time.Parse(layout, probe.Format(layout))
	return err == nil && back.Year() == probe.Year() && back.YearDay() == probe.YearDay()
}
