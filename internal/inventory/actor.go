package inventory

import "time"

// Actor is who does something, and why.
type Actor struct {
	Name   string // of the API token
	Reason string
	// Saw is the ChangedAt of the CI that they act on, as they saw it. Where it is another by now, nothing is done: an Error
	// with CodeStale. Zero: whatever it is.
	Saw time.Time
}
