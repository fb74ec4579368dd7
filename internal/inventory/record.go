package inventory

import "time"

// Record is the stored state of a source record that reports inventories: the state of an agent and
// its conversation, or that of an imported file.
type Record struct {
	ID                int64
	AgentID           string // "": the record is not a Muster agent
	CI                string // the device's id; "" before the first inventory
	LivenessDependent bool   // an observation of it may change the assignment
	Pending           bool   // it is an agent that nobody has approved yet
	RevokedAt         *time.Time
	Version           int64 // the fence: a Change is relative to it
	Root              Root  // of the whole inventory
	Token             []byte
	PreviousToken     []byte
	TokenAt           time.Time
	BootID            string
	Program           string            // the reporting program with its version; of Muster agents the version alone
	Hardware          map[string]uint64 // family → hash, see proto Hardware
}

// SectionState is the stored state of one section of a record.
type SectionState struct {
	Section   string
	Collected bool // items were received at least once
	Root      Root // of the items that the agent last sent; undefined unless Collected
	Superset  bool // the set has items beyond Root, because a partial section removed none
	Status    Status
	Message   string
	Items     int
	Verdicts  []Verdict // on the items held or refused
}

// Change is everything that one observation changes for a record. It is applied as a whole or not
// at all.
type Change struct {
	Record   int64
	Version  int64 // of the record that the change is relative to
	Root     Root
	Token    []byte // the ratchet's next token
	Previous []byte // the token that the agent presented, and presents again if this change's Ack is lost
	BootID   string
	Program  string
	Hardware map[string]uint64
	Incident *Incident
	Sections []SectionChange
}

// Incident is an anomaly of a record that the ratchet or a quota detected.
type Incident struct {
	Type   string            // "rollback", "clone" or "quota"
	Detail map[string]string // for people
}

// DetailAbandoned is the detail of a rollback with the hash of the token that is abandoned by it.
const DetailAbandoned = "abandoned_token"

// Types of an Incident.
const (
	IncidentRollback = "rollback"
	IncidentClone    = "clone"
	IncidentQuota    = "quota" // too many new items in one day
)

// SectionChange is the part of a Change for one section.
type SectionChange struct {
	State         SectionState   // after the change
	StatusChanged bool           // the old status goes to the section's past
	Duration      *time.Duration // of the collection; nil: not known
	First         bool           // the section's history begins: its items are not events
	Events        []Event        // what changed
	Gained        []ItemID       // sorted, and so is Lost; with First all items, which are not events
	Lost          []ItemID
	Readings      []Reading
	AllReadings   bool // Readings replaces what the store has
}

// Event is one change of an item: Old to New, 0 for none.
type Event struct {
	Old, New ItemID
}

// Reading is the latest values of one item on one machine, in the form of the wire.
type Reading struct {
	Item ItemID
	Raw  []byte
}

// SetKey names a section of a record.
type SetKey struct {
	Record  int64
	Section string
}

// Presence is when a record was last observed, and in which conversation.
type Presence struct {
	Record int64
	SeenAt time.Time
	Until  time.Time // the next check-in is due by then, with a grace; afterwards the agent is silent
	BootID string    // of the machine
	Stream [16]byte  // zero: the conversation has ended
}
