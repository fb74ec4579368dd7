package ingest

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/wire"
)

// plain reports whether nothing has to be mended in what came, looking at the bytes only: readings come by the
// thousand, nearly all of them plain, and making a message of each is most of the work on a first inventory. What is
// not plain is no worse for it; validate has the word.
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

func plainText(text []byte) bool {
	if len(text) > maxStringBytes {
		return false
	}
	for _, c := range text {
		if c < ' ' || c >= utf8.RuneSelf || c == 0x7f {
			return false
		}
	}
	return true
}

// plainTime accepts whole seconds within the bounds: google.protobuf.Timestamp, its field 1 alone.
func plainTime(inner []byte) bool {
	number, kind, tag := protowire.ConsumeTag(inner)
	if tag < 0 || number != 1 || kind != protowire.VarintType {
		return false
	}
	seconds, n := protowire.ConsumeVarint(inner[tag:])
	return n > 0 && tag+n == len(inner) &&
		int64(seconds) > earliest.Unix() && int64(seconds) < latest.Unix() //nolint:gosec // as protobuf encodes an int64
}
