package api

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// Values are the values of attributes in a request, by name: text, json.Number, bool or nil.
type Values map[string]any

// UnmarshalJSON reads an object and keeps the digits of its numbers.
func (v *Values) UnmarshalJSON(b []byte) error {
	return decodeExact(b, (*map[string]any)(v))
}

// Schema describes an object of plain values.
func (Values) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// check refuses what no attribute can have as its value.
func (v Values) check(nulls bool) error {
	const location = "body.attributes"
	for name, value := range v {
		if hasNUL(name) {
			return invalid(location, "a name holds a NUL character")
		}
		if value == nil && nulls {
			continue
		}
		if err := checkValue(location+"."+name, value); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(location string, value any) error {
	switch value := value.(type) {
	case string:
		return checkText(location, value)
	case bool, json.Number:
		return nil
	default:
		return invalid(location, "a value is a text, a number, true or false")
	}
}

// Value is a value of an attribute in a request, see Values.
type Value struct{ value any }

// UnmarshalJSON reads the value and keeps a number's digits.
func (v *Value) UnmarshalJSON(b []byte) error { return decodeExact(b, &v.value) }

// Schema describes a value of any type.
func (Value) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

func decodeExact(b []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read value: %w", err)
	}
	return nil
}

// Text is a text in a merge patch, where to be absent and to be null mean different things.
type Text struct {
	text  string // "" for null
	value bool
}

// UnmarshalJSON reads a text or null.
func (t *Text) UnmarshalJSON(b []byte) error {
	t.value = true
	return json.Unmarshal(b, &t.text)
}

// Schema describes a text or null.
func (Text) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// pointer is nil where the patch does not speak of the text.
func (t Text) pointer() *string {
	if !t.value {
		return nil
	}
	return &t.text
}

// checkName refuses what the database cannot hold, and what people could not read.
func checkName(location, name string) error {
	if err := checkText(location, name); err != nil {
		return err
	}
	if problem := inventory.NameProblem(name); problem != "" {
		return invalid(location, problem)
	}
	return nil
}

// checkTexts refuses texts that the database cannot hold: a location, its text, and so on.
func checkTexts(texts ...string) error {
	for i := 0; i+1 < len(texts); i += 2 {
		if err := checkText(texts[i], texts[i+1]); err != nil {
			return err
		}
	}
	return nil
}
