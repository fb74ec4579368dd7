package glpi

import (
	"net/http"

	"golang.org/x/sync/semaphore"
)

// SetRoom changes how many bytes of messages may be under way together: filling what there is takes a test long.
func SetRoom(h http.Handler, bytes int64) {
	if s, ok := h.(*endpoint); ok {
		s.inFlight = semaphore.NewWeighted(bytes)
	}
}
