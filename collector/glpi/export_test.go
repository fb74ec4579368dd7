package glpi

import (
	"net/http"

	"golang.org/x/sync/semaphore"
)

// SetMaxInFlight changes the limit on the bytes of all messages in progress; filling the real one
// is slow.
func SetMaxInFlight(h http.Handler, bytes int64) {
	if s, ok := h.(*endpoint); ok {
		s.inFlight = semaphore.NewWeighted(bytes)
	}
}
