package items

import (
	"context"

	"github.com/musterhq/muster/internal/inventory"
)

// Known returns which digests belong to interned items.
func (s *Store) Known(ctx context.Context, digests []inventory.Digest) (map[inventory.Digest]bool, error) {
	raw := make([][16]byte, len(digests))
	for i, digest := range digests {
		raw[i] = digest
	}
	ids, err := s.itemIDs(ctx, raw)
	if err != nil {
		return nil, err
	}
	known := make(map[inventory.Digest]bool, len(ids))
	for digest := range ids {
		known[digest] = true
	}
	return known, nil
}
