package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// What one check-in may carry, decompressed.
const (
	maxPayload   = 1 << 20 // of one message
	maxItems     = 200_000 // of one section, in each of its lists
	maxTotalSize = 64 << 20
)

var (
	// ErrTooMuch means that a section is larger than maxItems or maxTotalSize.
	ErrTooMuch = errors.New("the inventory is larger than any machine's")
	// ErrMismatch means that an update does not lead from the held set to the root that the agent
	// reported.
	ErrMismatch = errors.New("the items do not match the root")
)

// Update is what an agent sends of one section, collected from its chunks.
type Update struct {
	Section      *wire.Section
	Base         *inventory.Root // nil: the section is complete, not a change of the held set
	Root         inventory.Root  // of the section after the update, as the agent reported it
	Duration     *time.Duration  // of the collection; nil: not known
	ReadingsOnly bool

	// Take reserves memory in bytes for a chunk before it is decoded: a chunk of a few kilobytes
	// may have 200,000 empty items. Decoder.Add returns its error. nil: no limit.
	Take func(bytes int64) error

	items wire.Items // slices of the decompressed chunks
	size  int        // of these, in bytes
}

// What an update occupies, in bytes, until it is committed: decoded items, then validated ones in
// another encoding, and the arrays of the statements.
const (
	costOfChunk = 4 << 10
	costOfItem  = 400
	costOfByte  = 4
)

// Decoder decompresses and decodes the chunks of updates. It is safe for concurrent use.
type Decoder struct{ zstd *zstd.Decoder }

// NewDecoder returns a decoder that rejects chunks of more than maxPayload bytes.
func NewDecoder() (*Decoder, error) {
	reader, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPayload),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &Decoder{zstd: reader}, nil
}

// Add adds the items of one chunk to the update.
func (d *Decoder) Add(u *Update, chunk []byte) error {
	raw, err := d.zstd.DecodeAll(chunk, nil)
	if err != nil {
		return &inventory.Error{
			Code:    inventory.CodeInvalid,
			Message: fmt.Sprintf("unpack items of %s: %v", u.Section.Name, err),
		}
	}
	if u.size += len(raw); u.size > maxTotalSize {
		return ErrTooMuch
	}
	n, err := wire.Count(raw)
	if err == nil && u.Take != nil {
		if err := u.Take(costOfChunk + costOfByte*int64(len(raw)) + costOfItem*int64(n)); err != nil {
			return err
		}
	}
	if err == nil {
		err = u.items.Append(raw, maxItems)
	}
	switch {
	case errors.Is(err, wire.ErrTooMany):
		return ErrTooMuch
	case err != nil:
		return &inventory.Error{
			Code:    inventory.CodeInvalid,
			Message: fmt.Sprintf("decode items of %s: %v", u.Section.Name, err),
		}
	}
	return nil
}

// Check compares the root that the agent reported with that of the items. An item that was sent
// twice counts once. Check searches for such items only if the roots differ, because that is rare.
// An agent that adds an item to the root twice passes, and holds a wrong root of its own machine:
// the set has the item once.
func (u *Update) Check() error {
	if u.ReadingsOnly || u.root() == u.Root {
		return nil
	}
	u.items.Added, u.items.Removed = distinct(u.items.Added), distinct(u.items.Removed)
	if u.root() != u.Root {
		return fmt.Errorf("%s: %w", u.Section.Name, ErrMismatch)
	}
	return nil
}

// root returns the root of the section after the update.
func (u *Update) root() inventory.Root {
	var root inventory.Root
	if u.Base != nil {
		root = *u.Base
	}
	for i := range u.items.Removed {
		root = u.items.Removed[i].Hash.RemoveFrom(root)
	}
	for i := range u.items.Added {
		root = u.items.Added[i].Hash.AddTo(root)
	}
	return root
}

func distinct(items []wire.Encoded) []wire.Encoded {
	slices.SortFunc(items, func(a, b wire.Encoded) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	return slices.CompactFunc(items, func(a, b wire.Encoded) bool { return a.Hash == b.Hash })
}
