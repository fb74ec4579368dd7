package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// table converts rows to lines of CSV.
type table[T any] struct {
	columns []string
	cells   func(cells []string, row T) ([]string, error) // appends one cell for each column
}

// tableOf returns the table of a struct. Its columns are the fields by their JSON names. The fields
// of a nested struct are columns too, for example from_id.
func tableOf[T any]() table[T] {
	fields := jsonFields(reflect.TypeFor[T](), "", nil)
	t := table[T]{columns: make([]string, len(fields))}
	for i, f := range fields {
		t.columns[i] = f.name
	}
	t.cells = func(cells []string, row T) ([]string, error) {
		v := reflect.ValueOf(&row).Elem()
		for _, f := range fields {
			cell, err := cellOf(v.FieldByIndex(f.index))
			if err != nil {
				return nil, fmt.Errorf("write %s as CSV: %w", f.name, err)
			}
			cells = append(cells, cell)
		}
		return cells, nil
	}
	return t
}

type jsonField struct {
	name  string
	index []int
}

func jsonFields(t reflect.Type, prefix string, parent []int) []jsonField {
	var fields []jsonField
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int{}, parent...), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fields = append(fields, jsonFields(f.Type, prefix, index)...)
		case !f.IsExported() || name == "-" || name == "":
		case f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]():
			fields = append(fields, jsonFields(f.Type, prefix+name+"_", index)...)
		default:
			fields = append(fields, jsonField{prefix + name, index})
		}
	}
	return fields
}

// cellOf returns a value as text. Text that is not a number or a time is escaped.
func cellOf(v reflect.Value) (string, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return escapeFormula(v.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	}
	if at, ok := reflect.TypeAssert[time.Time](v); ok {
		return at.UTC().Format(time.RFC3339Nano), nil
	}
	if v.IsZero() {
		return "", nil
	}
	encoded, err := json.Marshal(v.Interface())
	if err != nil {
		return "", err
	}
	return jsonCell(encoded), nil
}

// jsonCell returns a JSON value as text: the strings of an array are joined, an object stays JSON.
func jsonCell(value json.RawMessage) string {
	if len(value) == 0 {
		return ""
	}
	switch value[0] {
	case '"':
		var text string
		if json.Unmarshal(value, &text) == nil {
			return escapeFormula(text)
		}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(value, &list) == nil {
			return joinCells(list)
		}
	case 'n':
		return ""
	case '{':
		return escapeFormula(string(value))
	}
	return string(value) // a number or a boolean
}

func joinCells(list []json.RawMessage) string {
	cells := make([]string, len(list))
	for i, value := range list {
		cells[i] = jsonCell(value)
	}
	return strings.Join(cells, "; ")
}
