package inventory

import "time"

// Record is what the collector holds of one source record that reports inventories: an agent's and the state of its
// conversation, or that of a file that was imported.
type Record struct {
	ID                int64
	AgentID           string // "" where it is none of our agents
	CI                string // the device's id; "" before the first inventory
	LivenessDependent bool   // that it was heard of may change which device it is
	RevokedAt         *time.Time
	Version           int64 // the fence: a Change is relative to it
	Root              Root  // of the whole inventory
	Token             []byte
	PreviousToken     []byte
	TokenAt           time.Time
	BootID            string
	Program           string            // what reports, and its version: of our agents the version alone
	Hardware          map[string]uint64 // family → hash, see proto Hardware
}

// SectionState is what the collector holds of one section of a record.
type SectionState struct {
	Section   string
	Collected bool // items came at least once
	Root      Root // of what the agent last sent; meaningless unless Collected
	Superset  bool // more is held than Root says, because a partial section removed nothing
	Status    Status
	Message   string
	Items     int
	Verdicts  []Verdict // on the items held or refused
}

// Change is everything that one observation does to a record. It is applied as a whole or not at all.
type Change struct {
	Record   int64
	Version  int64 // of the record that the change is relative to
	Root     Root
	Token    []byte // the ratchet's next token
	Previous []byte // the one that the agent came with, which it comes with again if this change's Ack is lost
	BootID   string
	Program  string
	Hardware map[string]uint64
	Incident *Incident
	Sections []SectionChange
}

// Incident is something that the ratchet found out about a record.
type Incident struct {
	Type   string            // "rollback" or "clone"
	Detail map[string]string // for people
}

// The kinds of an Incident.
const (
	IncidentRollback = "rollback"
	IncidentClone    = "clone"
)

// SectionChange is what a Change does to one section.
type SectionChange struct {
	State         SectionState   // after the change
	StatusChanged bool           // the old status goes to the section's past
	Duration      *time.Duration // of the collection; nil: not known
	First         bool           // the section's history begins: its items are no events
	Events        []Event        // what changed
	Gained        []ItemID       // sorted, and so is Lost; with First all items, which are no events
	Lost          []ItemID
	Readings      []Reading
	AllReadings   bool // Readings replaces what the store has
}

// Event is one change of an item: Old to New, 0 for none.
type Event struct {
	Old, New ItemID
}

// Reading is the latest values of one item on one machine, as they stand on the wire.
type Reading struct {
	Item ItemID
	Raw  []byte
}

// SetKey names a section of a record.
type SetKey struct {
	Record  int64
	Section string
}

// Presence says when a record was last seen, and in which conversation.
type Presence struct {
	Record int64
	SeenAt time.Time
	Stream [16]byte
}
