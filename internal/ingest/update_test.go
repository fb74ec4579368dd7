package ingest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// newTestDecoder returns a decoder and a function that packs a chunk for it.
func newTestDecoder(t *testing.T) (*Decoder, func(*inventoryv1.Items) []byte) {
	t.Helper()
	decoder, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return decoder, func(items *inventoryv1.Items) []byte {
		raw, err := proto.Marshal(items)
		if err != nil {
			t.Fatal(err)
		}
		return packer.EncodeAll(raw, nil)
	}
}

func TestCheckCountsAnItemOnce(t *testing.T) {
	t.Parallel()
	decoder, pack := newTestDecoder(t)
	section, _ := wire.Lookup("software")
	a, b, c := []byte("a"), []byte("b"), []byte("c")
	base := wire.HashOf(c).AddTo(inventory.Root{})
	root := wire.HashOf(a).AddTo(wire.HashOf(b).AddTo(inventory.Root{}))
	chunk := pack(&inventoryv1.Items{Added: []*inventoryv1.Item{{Facts: a}, {Facts: b}}, Removed: [][]byte{c}})
	for times := range 3 {
		u := &Update{Section: section, Base: &base, Root: root}
		for range times {
			if err := decoder.Add(u, chunk); err != nil {
				t.Fatal(err)
			}
		}
		if err := u.Check(); errors.Is(err, ErrMismatch) != (times == 0) {
			t.Errorf("sent %d times: got %v", times, err)
		}
		if times > 0 && (len(u.items.Added) != 2 || len(u.items.Removed) != 1) {
			t.Errorf("sent %d times: %d items added and %d removed, want 2 and 1",
				times, len(u.items.Added), len(u.items.Removed))
		}
	}
}

// TestAddIsBounded sends a list that grows beyond its bound over several chunks, and more bytes
// than a section may have.
func TestAddIsBounded(t *testing.T) {
	t.Parallel()
	decoder, pack := newTestDecoder(t)
	section, _ := wire.Lookup("software")
	empty := make([]*inventoryv1.Item, maxItems/2)
	for i := range empty {
		empty[i] = &inventoryv1.Item{}
	}
	big := []*inventoryv1.Item{{Facts: make([]byte, maxPayload-64)}}
	for name, c := range map[string]struct {
		items []*inventoryv1.Item
		fits  int // chunks
	}{"items": {empty, 2}, "bytes": {big, maxTotalSize / (maxPayload - 64)}} {
		u, chunk := &Update{Section: section}, pack(&inventoryv1.Items{Added: c.items})
		for range c.fits {
			if err := decoder.Add(u, chunk); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := decoder.Add(u, chunk); !errors.Is(err, ErrTooMuch) {
			t.Errorf("%s: got %v, want %v", name, err, ErrTooMuch)
		}
	}
}

// TestKnownItems checks that the cache is bounded, keeps what is used and distinguishes sections.
func TestKnownItems(t *testing.T) {
	t.Parallel()
	software, _ := wire.Lookup("software")
	service, _ := wire.Lookup("service")
	const size = 100
	known := newKnownItems(size)
	item := func(i int) wire.Encoded { return wire.Encoded{Hash: wire.HashOf(fmt.Append(nil, i))} }
	find := func(section *wire.Section, i int) inventory.Ref {
		return known.find(section, []wire.Encoded{item(i)})[0].ref
	}
	for i := range 10 * size {
		ref := inventory.Ref{ID: inventory.ItemID(i) + 1, KeyHash: int64(i)}
		unknown := &unknown{hash: item(i).Hash, unchanged: i%2 == 0}
		known.remember(software, []slot{{ref: ref, unknown: unknown}, {ref: ref}})
		want := inventory.Ref{}
		if unknown.unchanged {
			want = ref
		}
		if got := find(software, i); got != want {
			t.Fatalf("item %d: got %v, want %v", i, got, want)
		}
		if got := find(software, 0).ID; got != 1 {
			t.Fatalf("after %d items, the one that is always used was dropped: got id %d", i, got)
		}
		if got := len(known.young) + len(known.old); got > size {
			t.Fatalf("%d encodings, more than %d", got, size)
		}
	}
	if got := find(service, 0); got.ID != 0 {
		t.Errorf("found an item of another section: %v", got)
	}
}
