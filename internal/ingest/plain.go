package ingest

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/wire"
)

// plain reports whether validate would accept encoded readings without a change. It decodes no
// message: a first inventory has about a thousand readings, and nearly all of them are plain.
// Readings that are not plain may still be valid.
func plain(section *wire.Section, encoded []byte) bool {
	for len(encoded) > 0 {
		number, kind, tag := protowire.ConsumeTag(encoded)
		if tag < 0 {
			return false
		}
		size := protowire.ConsumeFieldValue(number, kind, encoded[tag:])
		field := section.Field(number)
		if size < 0 || field == nil || field.IsList() || !plainValue(field, kind, encoded[tag:tag+size]) {
			return false
		}
		encoded = encoded[tag+size:]
	}
	return true
}

func plainValue(field protoreflect.FieldDescriptor, kind protowire.Type, value []byte) bool {
	switch field.Kind() {
	case protoreflect.StringKind:
		text, n := protowire.ConsumeBytes(value)
		return kind == protowire.BytesType && n > 0 && plainText(text)
	case protoreflect.MessageKind: // times are the only ones
		inner, n := protowire.ConsumeBytes(value)
		return kind == protowire.BytesType && n > 0 && plainTime(inner)
	case protoreflect.BoolKind, protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		return kind == protowire.VarintType
	default:
		return false
	}
}

// plainText reports whether a text is printable ASCII and not too long.
func plainText[T string | []byte](text T) bool {
	if len(text) > maxStringBytes {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// plainTime reports whether a google.protobuf.Timestamp is whole seconds (field 1 alone) between
// earliest and latest.
func plainTime(inner []byte) bool {
	number, kind, tag := protowire.ConsumeTag(inner)
	if tag < 0 || number != 1 || kind != protowire.VarintType {
		return false
	}
	seconds, n := protowire.ConsumeVarint(inner[tag:])
	return n > 0 && tag+n == len(inner) &&
		int64(seconds) > earliest.Unix() && int64(seconds) < latest.Unix() //nolint:gosec // as protobuf encodes an int64
}
