package api

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// Values are attribute values in a request by name: string, json.Number, bool or nil.
type Values map[string]any

// UnmarshalJSON decodes an object and keeps the digits of its numbers.
func (v *Values) UnmarshalJSON(b []byte) error {
	return decodeExact(b, (*map[string]any)(v))
}

// Schema describes an object of plain values.
func (Values) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// check rejects values that no attribute can have.
func (v Values) check(nulls bool) error {
	const location = "body.attributes"
	for name, value := range v {
		if hasNUL(name) {
			return invalid(location, "the name of an attribute contains a NUL character")
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
		return invalid(location, "the value must be a string, a number, true or false")
	}
}

// Value is one attribute value in a request, see Values.
type Value struct{ value any }

// UnmarshalJSON decodes the value and keeps the digits of a number.
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

// Text is a string in a merge patch, in which an absent member and null differ.
type Text struct {
	text  string // "" for null
	value bool
}

// UnmarshalJSON decodes a string or null.
func (t *Text) UnmarshalJSON(b []byte) error {
	t.value = true
	return json.Unmarshal(b, &t.text)
}

// Schema describes a string or null.
func (Text) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// pointer returns nil if the patch does not have the member.
func (t Text) pointer() *string {
	if !t.value {
		return nil
	}
	return &t.text
}

// checkName rejects names that PostgreSQL cannot store or that people cannot read.
func checkName(location, name string) error {
	if err := checkText(location, name); err != nil {
		return err
	}
	if problem := inventory.NameProblem(name); problem != "" {
		return invalid(location, problem)
	}
	return nil
}

// checkTexts calls checkText for pairs of location and text.
func checkTexts(texts ...string) error {
	for i := 0; i+1 < len(texts); i += 2 {
		if err := checkText(texts[i], texts[i+1]); err != nil {
			return err
		}
	}
	return nil
}
