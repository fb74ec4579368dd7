package inventory

import "time"

// Actor is the person or program that changes something, and why.
type Actor struct {
	Name   string // of the API token
	Reason string
	// Saw is the ChangedAt of the CI as the actor read it. If the CI changed since, the store
	// changes nothing and returns an Error with CodeStale. Zero: not checked.
	Saw time.Time
}
