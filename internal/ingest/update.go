package ingest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// What one check-in may carry, decompressed.
const (
	maxPayload   = 1 << 20 // of one message
	maxItems     = 200_000 // of one section
	maxTotalSize = 64 << 20
)

// ErrTooMuch says that a check-in carries more than any machine has.
var ErrTooMuch = errors.New("the inventory is larger than any machine's")

// Update is what an agent sends of one section, gathered from its chunks.
type Update struct {
	Section      *wire.Section
	Base         *inventory.Root // nil: the section is sent whole
	Root         inventory.Root  // of the section afterwards, as the agent says
	Duration     *time.Duration  // of the collection; nil: not known
	ReadingsOnly bool

	added    []sent
	removed  []sent
	readings []*inventoryv1.Reading
	size     int
}

// sent is an item on its way to its id.
type sent struct {
	hash     wire.Hash
	facts    []byte
	readings []byte
}

// Size is how much of the update has arrived, in bytes.
func (u *Update) Size() int { return u.size }

// Decoder unpacks the chunks of updates. It is safe for concurrent use.
type Decoder struct{ zstd *zstd.Decoder }

// NewDecoder makes a decoder that no payload can make to take more than its bound.
func NewDecoder() (*Decoder, error) {
	reader, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPayload),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &Decoder{zstd: reader}, nil
}

// Add takes one chunk's items into the update.
func (d *Decoder) Add(u *Update, chunk []byte) error {
	raw, err := d.zstd.DecodeAll(chunk, nil)
	if err != nil {
		return fmt.Errorf("unpack items of %s: %w", u.Section.Name, err)
	}
	var items inventoryv1.Items
	if err := proto.Unmarshal(raw, &items); err != nil {
		return fmt.Errorf("decode items of %s: %w", u.Section.Name, err)
	}
	u.size += len(raw)
	for _, item := range items.GetAdded() {
		u.added = append(u.added, sent{hash: wire.HashOf(item.GetFacts()), facts: item.GetFacts(), readings: item.GetReadings()})
	}
	for _, facts := range items.GetRemoved() {
		u.removed = append(u.removed, sent{hash: wire.HashOf(facts), facts: facts})
	}
	u.readings = append(u.readings, items.GetReadings()...)
	if len(u.added) > maxItems || len(u.removed) > maxItems || len(u.readings) > maxItems || u.size > maxTotalSize {
		return ErrTooMuch
	}
	return nil
}

// Check compares the root that the agent says with that of what arrived. A message that came twice does no harm.
func (u *Update) Check() error {
	if u.ReadingsOnly {
		return nil
	}
	u.added, u.removed = distinct(u.added), distinct(u.removed)
	var root inventory.Root
	if u.Base != nil {
		root = *u.Base
	}
	for _, item := range u.removed {
		root = item.hash.RemoveFrom(root)
	}
	for _, item := range u.added {
		root = item.hash.AddTo(root)
	}
	if root != u.Root {
		return fmt.Errorf("%s: %w", u.Section.Name, ErrMismatch)
	}
	return nil
}

// ErrMismatch says that an update does not lead from what the collector holds to what the agent says.
var ErrMismatch = errors.New("what arrived is not what was sent")

func distinct(items []sent) []sent {
	slices.SortFunc(items, func(a, b sent) int { return slices.Compare(a.hash[:], b.hash[:]) })
	return slices.CompactFunc(items, func(a, b sent) bool { return a.hash == b.hash })
}
