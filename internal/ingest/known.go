package ingest

import (
	"sync"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// knownItems remembers the items that encodings of facts were interned as. An encoding is named by
// its section and by the SHA-256 that the section's root needs anyway: an agent that could make two
// encodings with one hash could store another item under a known id, so that a faster hash without
// collision resistance is not enough.
//
// It holds two generations and drops the older one when the younger one is full. A lookup moves an
// encoding to the younger one, so that at least the size/2 encodings that were used last are kept.
// The maps hold no pointers: the garbage collector does not scan their entries.
type knownItems struct {
	mu       sync.Mutex
	capacity int // of one generation
	young    map[encoding]inventory.Ref
	old      map[encoding]inventory.Ref
}

// encoding identifies the bytes of an item's facts in a section.
type encoding struct {
	section int // its number
	hash    wire.Hash
}

// newKnownItems returns a cache of at most size encodings.
func newKnownItems(size int) *knownItems {
	return &knownItems{
		capacity: max(size/2, 1), young: map[encoding]inventory.Ref{}, old: map[encoding]inventory.Ref{},
	}
}

// find returns a slot per item. The ref of an item that is not known is zero.
func (k *knownItems) find(section *wire.Section, items []wire.Encoded) []slot {
	slots := make([]slot, len(items))
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range items {
		e := encoding{section.Number, items[i].Hash}
		ref, found := k.young[e]
		if !found {
			if ref, found = k.old[e]; found {
				k.add(e, ref)
			}
		}
		slots[i].ref = ref
	}
	return slots
}

// remember adds the items that find did not know and that are interned now. An item that was
// cleaned is not remembered: each agent that sends it gets the verdict.
func (k *knownItems) remember(section *wire.Section, slots []slot) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range slots {
		if u := slots[i].unknown; u != nil && u.unchanged {
			k.add(encoding{section.Number, u.hash}, slots[i].ref)
		}
	}
}

// add adds an encoding to the younger generation. The caller holds mu.
func (k *knownItems) add(e encoding, ref inventory.Ref) {
	if len(k.young) >= k.capacity {
		k.old, k.young = k.young, k.old
		clear(k.young)
	}
	k.young[e] = ref
}
