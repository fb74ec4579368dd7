package wire

import (
	"strings"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const statusPrefix = "STATUS_"

// StatusFrom converts a status from the wire. A status that this program does not know becomes
// StatusError, from which nothing is concluded.
func StatusFrom(s inventoryv1.Status) inventory.Status {
	switch status := inventory.Status(strings.ToLower(strings.TrimPrefix(s.String(), statusPrefix))); status {
	case inventory.StatusOK, inventory.StatusPartial, inventory.StatusDenied, inventory.StatusUnsupported,
		inventory.StatusTimeout:
		return status
	default:
		return inventory.StatusError
	}
}

// StatusTo is the inverse of StatusFrom.
func StatusTo(s inventory.Status) inventoryv1.Status {
	value, ok := inventoryv1.Status_value[statusPrefix+strings.ToUpper(string(s))]
	if !ok {
		return inventoryv1.Status_STATUS_ERROR
	}
	return inventoryv1.Status(value)
}
