package items

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/musterhq/muster/internal/inventory"
)

// A payload of readings is zstd over: the number of readings, their item ids (sorted, as
// differences), their forms, all uvarints, and then what the forms need. An item keeps the readings
// that it was reported with first. Machines with the same software report the same sizes and
// locations, and times of installation that differ by the same amount from the first ones:
//
//   - form 0: the readings are the first ones;
//   - form 1: a length and the readings as they are;
//   - form n+2: the n numbers of the first readings change by these zigzag differences.

const (
	formFirst   = 0
	formWhole   = 1
	formNumbers = 2 // plus the count of numbers
)

// ReadingCodec holds the coders, which are expensive to create and safe for concurrent use.
type ReadingCodec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// NewReadingCodec returns a codec.
func NewReadingCodec() (*ReadingCodec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(1<<17), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &ReadingCodec{encoder: encoder, decoder: decoder}, nil
}

// encode returns the payload of readings. First has the first readings of their items, of those
// that had some.
func (c *ReadingCodec) encode(readings []inventory.Reading, first map[inventory.ItemID][]byte) []byte {
	sorted := slices.Clone(readings)
	slices.SortFunc(sorted, func(a, b inventory.Reading) int { return cmp.Compare(a.Item, b.Item) })
	raw := binary.AppendUvarint(nil, uint64(len(sorted)))
	var last inventory.ItemID
	for _, r := range sorted {
		raw = binary.AppendUvarint(raw, uint64(r.Item-last)) //nolint:gosec // sorted: never negative
		last = r.Item
	}
	var bodies []byte
	var before, after []field
	var differences []int64
	for _, r := range sorted {
		held, known := first[r.Item]
		if known && bytes.Equal(held, r.Raw) {
			raw = append(raw, formFirst)
			continue
		}
		plain, same := known, false
		if plain {
			before, plain = appendFields(before[:0], held)
		}
		if plain {
			after, plain = appendFields(after[:0], r.Raw)
		}
		if plain {
			differences, same = appendDifferences(differences[:0], before, after)
		}
		if !same {
			raw = append(raw, formWhole)
			bodies = binary.AppendUvarint(bodies, uint64(len(r.Raw)))
			bodies = append(bodies, r.Raw...)
			continue
		}
		raw = binary.AppendUvarint(raw, uint64(formNumbers+len(differences)))
		for _, d := range differences {
			bodies = binary.AppendVarint(bodies, d)
		}
	}
	return c.encoder.EncodeAll(append(raw, bodies...), nil)
}

var errReadings = errors.New("readings are damaged")

// StoredReading is one reading of a payload.
type StoredReading struct {
	Item inventory.ItemID

	whole       []byte  // nil: the first readings of the item, changed by differences
	differences []int64 // nil: unchanged
}

// Restore returns the reading. First is what the item was reported with first.
func (r StoredReading) Restore(first []byte) ([]byte, error) {
	if r.whole != nil {
		return r.whole, nil
	}
	if r.differences == nil {
		return first, nil
	}
	raw, ok := addDifferences(first, r.differences)
	if !ok {
		return nil, errReadings
	}
	return raw, nil
}

// Decode returns the readings of a payload. A payload that cannot be read is an error.
func (c *ReadingCodec) Decode(payload []byte) ([]StoredReading, error) {
	raw, err := c.decoder.DecodeAll(payload, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack readings: %w", err)
	}
	count, raw, err := uvarint(raw)
	if err != nil || count > uint64(len(raw)) {
		return nil, errReadings
	}
	readings, forms := make([]StoredReading, count), make([]uint64, count)
	var last, n uint64
	for i := range readings {
		if n, raw, err = uvarint(raw); err != nil {
			return nil, err
		}
		last += n
		readings[i].Item = inventory.ItemID(last) //nolint:gosec // it was one when it was written
	}
	for i := range forms {
		if forms[i], raw, err = uvarint(raw); err != nil {
			return nil, err
		}
	}
	for i := range readings {
		item := readings[i].Item
		if readings[i], raw, err = decodeForm(forms[i], raw); err != nil {
			return nil, err
		}
		readings[i].Item = item
	}
	return readings, nil
}

// decodeForm reads what the form needs and returns the rest.
func decodeForm(form uint64, raw []byte) (r StoredReading, rest []byte, err error) {
	switch form {
	case formFirst:
		return r, raw, nil
	case formWhole:
		length, rest, err := uvarint(raw)
		if err != nil || length > uint64(len(rest)) {
			return r, nil, errReadings
		}
		r.whole = rest[:length:length]
		return r, rest[length:], nil
	}
	count := form - formNumbers
	if count > uint64(len(raw)) {
		return r, nil, errReadings
	}
	r.differences = make([]int64, count)
	for i := range r.differences {
		d, n := binary.Varint(raw)
		if n <= 0 {
			return r, nil, errReadings
		}
		r.differences[i], raw = d, raw[n:]
	}
	return r, raw, nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errReadings
	}
	return v, b[n:], nil
}
