package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// AppendJSON appends the JSON object of an item: names as in the .proto, in field order, numbers as
// numbers, times in RFC 3339 UTC, without fields that are not set. Items are stored and shown only
// in this form.
func AppendJSON(b []byte, m protoreflect.Message) []byte {
	return appendFields(b, m, m.Descriptor().Fields().Len(), func(i int) protoreflect.FieldDescriptor {
		return m.Descriptor().Fields().Get(i)
	})
}

// AppendFacts is AppendJSON for the item's facts alone.
func (s *Section) AppendFacts(b []byte, m protoreflect.Message) []byte {
	return appendFields(b, m, len(s.facts), func(i int) protoreflect.FieldDescriptor { return s.facts[i] })
}

// AppendReadings is AppendJSON for the item's readings alone.
func (s *Section) AppendReadings(b []byte, m protoreflect.Message) []byte {
	return appendFields(b, m, len(s.readings), func(i int) protoreflect.FieldDescriptor { return s.readings[i] })
}

func appendFields(b []byte, m protoreflect.Message, n int, field func(int) protoreflect.FieldDescriptor) []byte {
	b = append(b, '{')
	first := true
	for i := range n {
		f := field(i)
		if !m.Has(f) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, f.Name()...)
		b = append(b, '"', ':')
		b = appendField(b, f, m.Get(f))
	}
	return append(b, '}')
}

func appendField(b []byte, f protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	if !f.IsList() {
		return appendValue(b, f, v)
	}
	b = append(b, '[')
	list := v.List()
	for i := range list.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, f, list.Get(i))
	}
	return append(b, ']')
}

func appendValue(b []byte, f protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch f.Kind() {
	case protoreflect.StringKind:
		return appendString(b, v.String())
	case protoreflect.BoolKind:
		return strconv.AppendBool(b, v.Bool())
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(b, v.Uint(), 10)
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return strconv.AppendInt(b, v.Int(), 10)
	case protoreflect.BytesKind:
		return appendString(b, base64.StdEncoding.EncodeToString(v.Bytes()))
	case protoreflect.MessageKind:
		if at, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			return appendString(b, at.AsTime().UTC().Format(time.RFC3339))
		}
		return AppendJSON(b, v.Message())
	default:
		// The .proto uses no other kinds; a test checks all sections.
		panic("wire: no JSON form for " + string(f.FullName()))
	}
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return appendEscaped(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendEscaped escapes a string with the standard library.
func appendEscaped(b []byte, s string) []byte {
	buf := bytes.NewBuffer(b)
	encoder := json.NewEncoder(buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // a string always has a JSON form
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
}
