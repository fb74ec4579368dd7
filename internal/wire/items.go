package wire

import (
	"errors"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Items is what one or more chunks of a section carry: the message inventoryv1.Items, decoded
// without a message per item. Facts and readings are slices of the chunks that they were read from.
type Items struct {
	Added    []Encoded // without KeyHash
	Removed  []Encoded // without KeyHash and readings
	Readings []Encoded // KeyHash and readings of unchanged items
}

// Field numbers of inventoryv1.Items, Item and Reading.
const (
	itemsAdded      = 1
	itemsRemoved    = 2
	itemsReadings   = 3
	itemFacts       = 1
	itemReadings    = 2
	readingKeyHash  = 1
	readingReadings = 2
)

var (
	errItems = errors.New("not an encoded Items message")
	// ErrTooMany means that a section has more items than its receiver accepts.
	ErrTooMany = errors.New("too many items")
)

// Append decodes a chunk and appends its items. It accepts the same bytes as proto.Unmarshal:
// fields that this program does not know are ignored. It returns ErrTooMany if one of the lists
// would have more than limit items. After an error, the items of the chunk are undefined.
func (x *Items) Append(chunk []byte, limit int) error {
	counts, err := countFields(chunk)
	if err != nil {
		return err
	}
	if !reserve(&x.Added, counts[itemsAdded], limit) || !reserve(&x.Removed, counts[itemsRemoved], limit) ||
		!reserve(&x.Readings, counts[itemsReadings], limit) {
		return ErrTooMany
	}
	return x.append(chunk)
}

// Count returns how many items Append would append, and allocates nothing.
func Count(chunk []byte) (int, error) {
	counts, err := countFields(chunk)
	return counts[itemsAdded] + counts[itemsRemoved] + counts[itemsReadings], err
}

// countFields counts the fields of a chunk by their number.
func countFields(chunk []byte) (counts [itemsReadings + 1]int, err error) {
	for rest := chunk; len(rest) > 0; {
		f, n := consumeField(rest)
		if n < 0 {
			return counts, errItems
		}
		if f.kind == protowire.BytesType && f.number <= itemsReadings {
			counts[f.number]++
		}
		rest = rest[n:]
	}
	return counts, nil
}

// reserve makes room for n more items. It reports whether there are at most limit then.
func reserve(list *[]Encoded, n, limit int) bool {
	if len(*list)+n > limit {
		return false
	}
	*list = slices.Grow(*list, n)
	return true
}

func (x *Items) append(chunk []byte) error {
	for len(chunk) > 0 {
		f, n := consumeField(chunk)
		ok := n >= 0
		switch {
		case f.kind != protowire.BytesType:
		case f.number == itemsAdded:
			var item Encoded
			ok = item.decodeItem(f.value)
			x.Added = append(x.Added, item)
		case f.number == itemsRemoved:
			x.Removed = append(x.Removed, Encoded{Hash: HashOf(f.value), Facts: f.value})
		case f.number == itemsReadings:
			var reading Encoded
			ok = reading.decodeReading(f.value)
			x.Readings = append(x.Readings, reading)
		}
		if !ok {
			return errItems
		}
		chunk = chunk[n:]
	}
	return nil
}

// decodeItem decodes an inventoryv1.Item and hashes its facts.
func (e *Encoded) decodeItem(b []byte) bool {
	for len(b) > 0 {
		f, n := consumeField(b)
		switch {
		case n < 0:
			return false
		case f.kind != protowire.BytesType:
		case f.number == itemFacts:
			e.Facts = f.value
		case f.number == itemReadings:
			e.Readings = f.value
		}
		b = b[n:]
	}
	e.Hash = HashOf(e.Facts)
	return true
}

// decodeReading decodes an inventoryv1.Reading.
func (e *Encoded) decodeReading(b []byte) bool {
	for len(b) > 0 {
		f, n := consumeField(b)
		switch {
		case n < 0:
			return false
		case f.number == readingKeyHash && f.kind == protowire.Fixed64Type:
			hash, _ := protowire.ConsumeFixed64(f.value)
			e.KeyHash = int64(hash) //nolint:gosec // a hash has no sign
		case f.number == readingReadings && f.kind == protowire.BytesType:
			e.Readings = f.value
		}
		b = b[n:]
	}
	return true
}

// field is one field of an encoded message. Its value is nil if it is empty, because proto3 does
// not distinguish an empty value from none.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  []byte // of BytesType: without the length
}

// consumeField reads the first field of a message. It returns the field's length, or a negative
// number if the bytes are not a field.
func consumeField(b []byte) (field, int) {
	number, kind, tag := protowire.ConsumeTag(b)
	if tag < 0 || number > protowire.MaxValidNumber { // ConsumeTag does not check the maximum
		return field{}, -1
	}
	f := field{number: number, kind: kind}
	if kind == protowire.BytesType {
		value, n := protowire.ConsumeBytes(b[tag:])
		if n < 0 {
			return field{}, -1
		}
		if len(value) > 0 {
			f.value = value
		}
		return f, tag + n
	}
	n := protowire.ConsumeFieldValue(number, kind, b[tag:])
	if n < 0 {
		return field{}, -1
	}
	f.value = b[tag : tag+n]
	return f, tag + n
}
