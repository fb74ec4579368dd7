package link

import (
	"fmt"
	"iter"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// maxPayload is the maximum size of the items of an Update before compression, in bytes.
const maxPayload = 512 << 10

// maxOverhead bounds the tags and lengths of an encoded item, in bytes: three fields with a tag and
// a length of up to four bytes each.
const maxOverhead = 15

// chunks splits a change into payloads of at most maxPayload bytes. It yields at least one payload,
// so that an empty section is sent too.
func (c change) chunks() iter.Seq2[*inventoryv1.Items, bool] {
	return func(yield func(items *inventoryv1.Items, last bool) bool) {
		items, size := &inventoryv1.Items{}, 0
		room := func(bytes int) bool {
			size += bytes + maxOverhead
			if size <= maxPayload {
				return true
			}
			full := items
			items, size = &inventoryv1.Items{}, bytes+maxOverhead
			return yield(full, false)
		}
		for _, item := range c.added {
			if !room(len(item.Facts) + len(item.Readings)) {
				return
			}
			items.Added = append(items.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
		}
		for _, facts := range c.removed {
			if !room(len(facts)) {
				return
			}
			items.Removed = append(items.Removed, facts)
		}
		for _, item := range c.readings {
			if item.Readings == nil {
				continue
			}
			if !room(len(item.Readings)) {
				return
			}
			items.Readings = append(items.Readings, readingOf(item))
		}
		yield(items, true)
	}
}

func readingOf(item wire.Encoded) *inventoryv1.Reading {
	keyHash := uint64(item.KeyHash) //nolint:gosec // a hash has no sign
	return &inventoryv1.Reading{KeyHash: keyHash, Readings: item.Readings}
}

// update returns the message for one payload of a change.
func (c change) update(items *inventoryv1.Items, last bool, packer *zstd.Encoder) (*inventoryv1.Update, error) {
	raw, err := proto.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("encode items of %s: %w", c.section, err)
	}
	return &inventoryv1.Update{
		Section:      c.section,
		BaseRoot:     c.base,
		Root:         c.root[:],
		Items:        packer.EncodeAll(raw, nil),
		Last:         last,
		DurationMs:   uint32(c.duration.Milliseconds()), //nolint:gosec // a section has a deadline of a minute
		ReadingsOnly: c.readingsOnly,
	}, nil
}

// newPacker returns an encoder that uses little memory. It serves one reply.
func newPacker() (*zstd.Encoder, error) {
	packer, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(128<<10),
		zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true),
	)
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return packer, nil
}
