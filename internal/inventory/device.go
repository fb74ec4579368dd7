package inventory

import (
	"encoding/json"
	"time"
)

// DeviceQuery asks for devices.
type DeviceQuery struct {
	Page
	Search     string // a part of the name, the serial number or the model, in any case; "": any
	Class      string // "": any
	OrderBy    string // a field of Device; "": name
	Descending bool
}

// SoftwareDevicesQuery asks for the devices that a software is installed on.
type SoftwareDevicesQuery struct {
	Page
	Software int32
}

// DeviceAgent is an agent that reports on a device.
type DeviceAgent struct {
	AgentID      string     `json:"agent_id"`
	Version      string     `json:"version,omitempty"`
	EnrolledAt   time.Time  `json:"enrolled_at"`
	LastSeen     *time.Time `json:"last_seen,omitempty"`
	RevokedAt    *time.Time `json:"revoked_at,omitempty"`
	RevokeReason string     `json:"revoke_reason,omitempty"`
}

// DeviceSection says how a section of a device was last collected.
type DeviceSection struct {
	Name        string    `json:"name"`
	Status      Status    `json:"status"`
	Message     string    `json:"message,omitempty"`
	StatusSince time.Time `json:"status_since"`
	Items       *int32    `json:"items,omitempty"`
	ChangedAt   time.Time `json:"changed_at"`
	DurationMS  *int32    `json:"duration_ms,omitempty"`
	Verdicts    []Verdict `json:"verdicts,omitempty"`
}

// ItemQuery asks for the items of one section of one device.
type ItemQuery struct {
	Page
	Device  string
	Section string
	OrderBy []string // the facts to sort by
}

// HeldItem is an item of a device.
type HeldItem struct {
	ID       ItemID
	Software int32           // the software that it is an installation of; 0: it is none
	Facts    json.RawMessage // see Item.Facts
	Readings []byte          // as they stand on the wire; nil: none are known
}

// ChangeQuery asks for the changes of a device's items.
type ChangeQuery struct {
	Page
	Device  string
	Section string    // "": all
	Since   time.Time // zero: from the beginning
	Until   time.Time // zero: to the end; the instant itself is not in
}

// ItemChange is one change of an item of a device.
type ItemChange struct {
	At      time.Time
	Section string
	Old     json.RawMessage // facts; nil: the item was not there
	New     json.RawMessage // facts; nil: the item is gone
}
