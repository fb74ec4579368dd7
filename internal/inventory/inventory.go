// Package inventory holds the domain's plain types: what an observation of a machine is, what changed, what a
// device is. It imports nothing of ours and does nothing by itself.
package inventory

import (
	"encoding/json"
	"time"
)

// Status says how the collection of a section ended.
type Status string

// The statuses of a section, as they stand on the wire, in SQL, in JSON and on screen.
const (
	StatusOK          Status = "ok"          // complete: what is not in it is not on the machine
	StatusPartial     Status = "partial"     // some sources failed: what is not in it may still be there
	StatusDenied      Status = "denied"      // the agent lacks the right to look
	StatusUnsupported Status = "unsupported" // this system has no such thing, or is not covered yet
	StatusTimeout     Status = "timeout"
	StatusError       Status = "error"
)

// Complete reports whether items absent from the section may be concluded to be gone from the machine.
func (s Status) Complete() bool { return s == StatusOK }

// Collected reports whether the section carries items at all.
func (s Status) Collected() bool { return s == StatusOK || s == StatusPartial }

// Root identifies a set of items: see wire.Root for how it is computed. The zero root is that of the empty set.
type Root [32]byte

// Digest identifies an item of a section by its content.
type Digest [16]byte

// ItemID identifies an interned item. 0 stands for no item.
type ItemID int32

// Item is one row of a section, ready to be interned.
type Item struct {
	Section string
	Digest  Digest          // of Section and Facts
	KeyHash int64           // of the key fields
	Facts   json.RawMessage // canonical JSON: snake_case names, numbers as numbers, absent fields absent
}

// Ref is an interned item as sets and diffs need it.
type Ref struct {
	ID      ItemID
	KeyHash int64
}

// Verdict says what became of an item that could not be taken as it was.
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

// Device is what is known of a machine at one instant. Empty strings are unknown.
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

// Error is an error that a caller may be told about: a code for programs, a message for people.
type Error struct {
	Code    string
	Message string
}

// The codes of an Error.
const (
	CodeInvalid         = "invalid"
	CodeNotFound        = "not_found"
	CodeUnauthenticated = "unauthenticated"
	CodeForbidden       = "forbidden"
	CodeConflict        = "conflict"
	CodeStale           = "stale" // what was to be changed is another than the caller saw
	CodeUnavailable     = "unavailable"
)

func (e *Error) Error() string { return e.Message }
