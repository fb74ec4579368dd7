// Package inventory contains the domain types that all server packages share, and the constants of
// the vocabulary: sources, classes, relationship types, decisions, findings. It imports nothing of
// ours, does no I/O and contains no rules; those are in packages identify and reconcile.
// Start with Observed and Observation for what sources report, CandidateSet and Partition for
// identity, CI for the result, and vocabulary.go for the constants.
package inventory

import (
	"encoding/json"
	"time"
)

// Status is the outcome of the collection of a section.
type Status string

// Statuses of a section, in one form on the wire, in SQL, in JSON and on screen.
const (
	StatusOK          Status = "ok"          // complete: absent items are not on the machine
	StatusPartial     Status = "partial"     // some sources failed: absent items may still be there
	StatusDenied      Status = "denied"      // the agent lacks the permission
	StatusUnsupported Status = "unsupported" // the section does not exist on this operating system
	StatusTimeout     Status = "timeout"
	StatusError       Status = "error"
)

// Complete reports whether items that are absent from the section were removed from the machine.
func (s Status) Complete() bool { return s == StatusOK }

// Collected reports whether the section has items.
func (s Status) Collected() bool { return s == StatusOK || s == StatusPartial }

// Root identifies a set of items; see wire.Root for how it is computed. The zero Root is that of
// the empty set.
type Root [32]byte

// Digest identifies an item of a section by its content.
type Digest [16]byte

// ItemID identifies an interned item. 0 stands for no item.
type ItemID int32

// Item is one row of a section, ready to be interned.
type Item struct {
	Section  string
	Digest   Digest          // of Section and Facts
	KeyHash  int64           // of the key fields
	Facts    json.RawMessage // canonical JSON: snake_case names, numbers as numbers, absent fields absent
	Readings []byte          // of the machine that reports it, in the form of the wire; nil: none
}

// Ref is an interned item in sets and diffs.
type Ref struct {
	ID      ItemID
	KeyHash int64
}

// Verdict is what the collector did with an item that it did not accept unchanged.
type Verdict struct {
	Section string `json:"section"`
	Item    string `json:"item"`    // its key, as far as it could be read
	Outcome string `json:"outcome"` // "cleaned", "truncated" or "rejected"
	Reason  string `json:"reason"`
}

// The outcomes of a Verdict.
const (
	OutcomeCleaned   = "cleaned"
	OutcomeTruncated = "truncated"
	OutcomeRejected  = "rejected"
)

// Device is a machine at one instant. Empty strings are unknown.
type Device struct {
	ID           string     `json:"id"`
	Name         string     `json:"name,omitempty"`
	Class        string     `json:"class"`
	Manufacturer string     `json:"manufacturer,omitempty"`
	Model        string     `json:"model,omitempty"`
	SerialNumber string     `json:"serial_number,omitempty"`
	UUID         string     `json:"uuid,omitempty"`
	OSName       string     `json:"os_name,omitempty"`
	OSVersion    string     `json:"os_version,omitempty"`
	FirstSeen    time.Time  `json:"first_seen"`
	LastSeen     *time.Time `json:"last_seen,omitempty"` // absent from answers about the past
}

// Error is an error for the caller: a code for programs, a message for people.
type Error struct {
	Code    string
	Message string
	// RetryAfter is how long the caller of an unavailable service should wait; 0 means unknown.
	RetryAfter time.Duration
}

// The codes of an Error.
const (
	CodeInvalid         = "invalid"
	CodeNotFound        = "not_found"
	CodeUnauthenticated = "unauthenticated"
	CodeForbidden       = "forbidden"
	CodeConflict        = "conflict"
	CodeStale           = "stale" // the resource changed since the caller read it
	CodeUnavailable     = "unavailable"
)

func (e *Error) Error() string { return e.Message }
