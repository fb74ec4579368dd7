package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// AddTo returns the root of a set after an item was added to it. A root is the sum of the hashes of
// the set's items, in four lanes modulo 2⁶⁴: it does not depend on their order, and a change of a
// few items costs a few additions. It detects errors (a lost message, a restored database), not
// attacks: an agent can report anything about its own machine without a collision.
func (h Hash) AddTo(root inventory.Root) inventory.Root {
	return combine(root, h, func(a, b uint64) uint64 { return a + b })
}

// RemoveFrom is the inverse of AddTo.
func (h Hash) RemoveFrom(root inventory.Root) inventory.Root {
	return combine(root, h, func(a, b uint64) uint64 { return a - b })
}

func combine(root inventory.Root, h Hash, op func(a, b uint64) uint64) inventory.Root {
	for lane := 0; lane < len(root); lane += 8 {
		a, b := binary.LittleEndian.Uint64(root[lane:]), binary.LittleEndian.Uint64(h[lane:])
		binary.LittleEndian.PutUint64(root[lane:], op(a, b))
	}
	return root
}

// Summary is what a check-in reports of one section.
type Summary struct {
	Section string
	Status  inventory.Status
	Message string
	Root    inventory.Root // of the collected items; not used unless Status.Collected
}

// InventoryRoot identifies a whole inventory, statuses included. Inventories with equal roots are
// equal.
func InventoryRoot(summaries []Summary) inventory.Root {
	sorted := slices.Clone(summaries)
	slices.SortFunc(sorted, func(a, b Summary) int { return strings.Compare(a.Section, b.Section) })
	h := sha256.New()
	for _, s := range sorted {
		for _, text := range []string{s.Section, string(s.Status), s.Message} {
			h.Write(binary.AppendUvarint(nil, uint64(len(text))))
			h.Write([]byte(text))
		}
		if s.Status.Collected() {
			h.Write(s.Root[:])
		}
	}
	return inventory.Root(h.Sum(nil))
}
