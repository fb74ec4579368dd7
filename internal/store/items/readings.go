package items

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/musterhq/muster/internal/inventory"
)

// A payload of readings is zstd over: the number of readings, their item ids (sorted, as
// differences), their lengths, all uvarints, and then their bytes. Similar values are
// adjacent, which compresses better.

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

func (c *ReadingCodec) encode(readings []inventory.Reading) []byte {
	sorted := slices.Clone(readings)
	slices.SortFunc(sorted, func(a, b inventory.Reading) int { return cmp.Compare(a.Item, b.Item) })
	raw := binary.AppendUvarint(nil, uint64(len(sorted)))
	var last inventory.ItemID
	for _, r := range sorted {
		raw = binary.AppendUvarint(raw, uint64(r.Item-last)) //nolint:gosec // sorted: never negative
		last = r.Item
	}
	for _, r := range sorted {
		raw = binary.AppendUvarint(raw, uint64(len(r.Raw)))
	}
	for _, r := range sorted {
		raw = append(raw, r.Raw...)
	}
	return c.encoder.EncodeAll(raw, nil)
}

var errReadings = errors.New("readings are damaged")

// Decode returns the readings of a payload. A payload that cannot be read is an error.
func (c *ReadingCodec) Decode(payload []byte) ([]inventory.Reading, error) {
	raw, err := c.decoder.DecodeAll(payload, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack readings: %w", err)
	}
	count, raw, err := uvarint(raw)
	if err != nil || count > uint64(len(raw)) {
		return nil, errReadings
	}
	readings := make([]inventory.Reading, count)
	var last, n uint64
	for i := range readings {
		if n, raw, err = uvarint(raw); err != nil {
			return nil, err
		}
		last += n
		readings[i].Item = inventory.ItemID(last) //nolint:gosec // it was one when it was written
	}
	lengths := make([]uint64, count)
	for i := range lengths {
		if lengths[i], raw, err = uvarint(raw); err != nil {
			return nil, err
		}
	}
	for i, length := range lengths {
		if length > uint64(len(raw)) {
			return nil, errReadings
		}
		readings[i].Raw, raw = raw[:length], raw[length:]
	}
	return readings, nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errReadings
	}
	return v, b[n:], nil
}
