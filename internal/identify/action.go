package identify

import (
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// Action returns the action of a decision, one of inventory.Action…. before is the CI that the
// record belonged to, "" for a new record; defaultCI is the record's own; members is the number of
// records that belonged to the new CI before the decision.
func Action(before string, to inventory.Assignment, defaultCI string, members int) string {
	switch {
	case before == "" && to.CI == defaultCI && members == 0:
		return inventory.ActionCreated
	case before == "":
		return inventory.ActionLinked
	case before == to.CI:
		return inventory.ActionConfirmed
	case slices.Contains(to.PreviousCIs, before):
		return inventory.ActionMoved
	case before == defaultCI:
		return inventory.ActionMerged
	default:
		return inventory.ActionSplit
	}
}
