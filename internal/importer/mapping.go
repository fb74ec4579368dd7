package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Mapping defines what the columns of a table mean. It refers to a column by its name in the
// table's header.
type Mapping struct {
	// Encoding is the encoding of the file, such as "windows-1252". "": what the request or the
	// file declares, else UTF-8.
	Encoding string `json:"encoding,omitempty"`

	// Key lists the columns whose values identify a row, in this file and in later versions of it.
	// Empty: the first of asset tag, serial number, UUID, MAC address, host name and name that has
	// a column.
	Key []string `json:"key,omitempty"`

	// Match is the attribute by which a row finds its CI: the CI with the same value. Its values
	// must be unique, which only the author of the mapping knows. "id" matches the ids of an
	// exported list. "": the CI is found by evidence, such as manufacturer and serial number.
	Match string `json:"match,omitempty"`

	Class ClassMapping `json:"class,omitzero"`

	// Columns assigns attributes to columns; other columns are ignored. Empty: well-known names are
	// recognized.
	Columns map[string]Column `json:"columns,omitempty"`

	// Relationships lists the columns that name other CIs, and how the row's CI relates to them.
	Relationships map[string]Relation `json:"relationships,omitempty"`
}

// Relation is the relationship from a row's CI to the CI that a column names, e.g. located_in a
// location.
type Relation struct {
	Type    string `json:"type"`
	Class   string `json:"class"`             // of the other CI
	By      string `json:"by,omitempty"`      // the attribute of the other CI with the value; "": name
	Inverse bool   `json:"inverse,omitempty"` // the relationship is from the other CI to the row's
}

// ClassMapping defines the class of the rows: one class for all, or the value of a column. In JSON
// the name of the class alone is enough.
type ClassMapping struct {
	Name   string `json:"name,omitempty"`
	Column string `json:"column,omitempty"`
	// Values maps values of the column, in any case, to classes. Empty: the values are classes.
	Values map[string]string `json:"values,omitempty"`
}

// Column defines what a column means. In JSON the name of the attribute alone is enough.
type Column struct {
	Attribute string `json:"attribute"`
	Format    string `json:"format,omitempty"`  // of a date, as a Go layout: "02.01.2006"
	Decimal   string `json:"decimal,omitempty"` // of a number: "," or "."
	// Values maps values of the column, in any case, to values of the attribute.
	Values map[string]string `json:"values,omitempty"`
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

// nameOr decodes a string into name, or an object without unknown members into object.
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

// check finds the errors that do not depend on the table.
func (m Mapping) check() error {
	if m.Class.Name != "" && m.Class.Column != "" {
		return fmt.Errorf("class has both the name %q and the column %q; keep one", m.Class.Name, m.Class.Column)
	}
	if m.Class.Column == "" && len(m.Class.Values) > 0 {
		return fmt.Errorf("class has values but no column")
	}
	for name, relation := range m.Relationships {
		if relation.Type == "" || relation.Class == "" {
			return fmt.Errorf("column %q: a relationship needs a type, and the class of the CIs in the column", name)
		}
	}
	by := map[string]string{}
	for name, column := range m.Columns {
		if err := column.check(); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		if other, twice := by[column.Attribute]; twice {
			return fmt.Errorf("the columns %q and %q both have the attribute %s",
				min(name, other), max(name, other), column.Attribute)
		}
		by[column.Attribute] = name
	}
	return nil
}

func (c Column) check() error {
	if c.Attribute == "" {
		return fmt.Errorf("attribute is missing")
	}
	if c.Decimal != "" && c.Decimal != "," && c.Decimal != "." {
		return fmt.Errorf("decimal is %q, want \",\" or \".\"", c.Decimal)
	}
	if c.Format != "" && c.Decimal != "" {
		return fmt.Errorf("format is for dates and decimal is for numbers; keep one")
	}
	if c.Format != "" && !isDateLayout(c.Format) {
		return fmt.Errorf("format %q lacks the year, month or day; write January 2, 2006 as your dates are written: "+
			"02.01.2006", c.Format)
	}
	return nil
}

// isDateLayout reports whether a layout has year, month and day: whether a date survives formatting
// and parsing.
func isDateLayout(layout string) bool {
	probe := time.Date(2013, time.November, 17, 0, 0, 0, 0, time.UTC)
	back, err := time.Parse(layout, probe.Format(layout))
	return err == nil && back.Year() == probe.Year() && back.YearDay() == probe.YearDay()
}
