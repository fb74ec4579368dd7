package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// JoinEvidence adds the identifiers that a record reports at an instant to those that it is known
// by, and reports whether that changes the evidence. A partial report ends no identifier. The
// result keeps every held identifier with its FirstSeen; new identifiers follow in the order of
// reported. held stays as it is.
func JoinEvidence(
	held []inventory.IdentifierHistory, reported []inventory.Identifier, at time.Time, partial bool,
) (joined []inventory.IdentifierHistory, changed bool) {
	joined = slices.Clone(held)
	known := make(map[inventory.Identifier]bool, len(held)+len(reported))
	now := make(map[inventory.Identifier]bool, len(reported))
	for _, identifier := range reported {
		now[identifier] = true
	}
	for i := range joined {
		h := &joined[i]
		known[h.Identifier] = true
		switch {
		case now[h.Identifier] && h.LastSeen != nil:
			h.LastSeen, changed = nil, true
		case !now[h.Identifier] && h.LastSeen == nil && !partial:
			h.LastSeen, changed = &at, true
		}
	}
	for _, identifier := range reported {
		if !known[identifier] {
			known[identifier], changed = true, true
			joined = append(joined, inventory.IdentifierHistory{Identifier: identifier, FirstSeen: at})
		}
	}
	return joined, changed
}

// JoinValues returns a partial observation completed with the class and the attributes that the
// record reported before. Only a complete observation removes an attribute.
func JoinValues(class string, attributes inventory.Attributes, observed inventory.Observed) inventory.Observed {
	joined := inventory.Attributes{}
	if observed.Partial {
		maps.Copy(joined, attributes)
		observed.Class = cmp.Or(observed.Class, class)
	}
	maps.Copy(joined, observed.Attributes)
	observed.Attributes = joined
	return observed
}
