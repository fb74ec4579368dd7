package inventory

import "time"

// RawIdentifiers are the identifiers of a CI as a source reports them, without any change. Empty is
// unknown.
type RawIdentifiers struct {
	Manufacturer        string
	Model               string
	SerialNumber        string
	UUID                string
	BoardManufacturer   string
	BoardSerial         string
	ChassisManufacturer string
	ChassisSerial       string
	TPM                 string // a hash of the endorsement key
	UnitNumber          string // of a display: the number in its EDID, beside the serial number that is text
	Interfaces          []InterfaceID
	Disks               []DiskID
	OSInstallID         string   // machine-id, MachineGuid
	Native              []string // "scope:id", guaranteed by a platform: a cloud's instance, a slot of a pool
	Hostname            string
	FQDN                string
	Virtual             bool
	Container           string // the type of container; not "": the visible hardware is the host's
}

// InterfaceID identifies a network interface.
type InterfaceID struct {
	MAC       string
	Permanent string // the permanent address
	Type      string // "ethernet", "wifi", "bridge", …
	Virtual   bool
}

// DiskID identifies a disk.
type DiskID struct {
	Manufacturer string
	Model        string
	SerialNumber string
	WWN          string
	Bus          string
	Removable    bool
}

// Identifier is a normalized identifier, "kind:scope|value", folded, so that equal ones are equal
// strings.
type Identifier string

// Rejection is an identifier that does not count as evidence, and why.
type Rejection struct {
	Kind    string `json:"kind"`
	Value   string `json:"value"`
	Pattern string `json:"pattern"`
	// Host is the identifier that a container sees of its host; "" if it is not a container.
	Host Identifier `json:"-"`
}

// IdentifierInterval is the time in which a record reported an identifier. Intervals form a
// lattice: they are joined by the earliest First and the latest Last, so that neither the order nor
// the repetition of reports matters.
type IdentifierInterval struct {
	Identifier Identifier
	First      time.Time
	Last       time.Time // the record's SeenAt while the identifier is reported
}

// RecordEvidence is the evidence of a source record for its identity.
type RecordEvidence struct {
	Record      int64
	Source      string    // "agent", "manual", …; a name may follow a colon
	BaseClass   string    // the class directly below ci: "computer", "monitor", …; "": unknown
	CreatedAt   time.Time // when it was first observed
	SeenAt      time.Time // when it was last observed
	DefaultCI   string    // its CI unless the evidence assigns it to another one
	Identifiers []IdentifierInterval
	Session     Session
}

// Session is the time in which an agent has kept checking in, until SeenAt of its record. The zero
// value: the source is not an agent.
type Session struct {
	Since     time.Time // its first check-in after a silence or a restart of its machine
	Until     time.Time // its next check-in is due, and a grace has passed; from then on it is silent
	Connected bool      // its connection was open when that was last noted
}

// Constraint is a declaration about two records that overrides the evidence.
type Constraint struct {
	A, B   int64
	Linked bool   // false: never one CI
	Origin string // Origin…
}

// CandidateSet is the input of one decision: records that share identifiers, directly or through
// others, and the constraints between them. Their order does not matter.
type CandidateSet struct {
	Records     []RecordEvidence
	Constraints []Constraint
	OverShared  []Identifier // too many records share them; they do not count
}

// Partition assigns the records of a candidate set to CIs. It is a function of the CandidateSet and
// the rules alone.
type Partition struct {
	Assignments       []Assignment
	Reviews           []ReviewCase
	Findings          []Finding
	Shared            []Identifier // several CIs share them; they do not count
	LivenessDependent []int64      // records whose assignment depends on which records are observed next
	Held              []int64      // agents that are kept separate because a live agent reports the same machine
}

// Assignment is the CI of a record, and why.
type Assignment struct {
	Record int64
	CI     string
	// Primary records count for the CI's items: one of several agents on an installation is
	// primary.
	Primary bool
	// PreviousCIs are the CIs of the record's earlier hardware periods: its disk moved from them to
	// CI.
	PreviousCIs []string
	Reason      Reason
}

// Reason is the explanation of a decision, for programs.
type Reason struct {
	Rule         string       `json:"rule"`
	RulesVersion string       `json:"rules_version"`
	With         int64        `json:"with,omitempty"`
	Bits         int          `json:"bits"`
	For          []Evidence   `json:"for,omitempty"`
	Against      []Evidence   `json:"against,omitempty"`
	Shared       []Identifier `json:"shared,omitempty"`
	Rejected     []Rejection  `json:"rejected,omitempty"`
	Candidates   []Candidate  `json:"candidates,omitempty"`
}

// Evidence is the evidence of one family of identifiers about two records.
type Evidence struct {
	Family      string       `json:"family"`
	Bits        int          `json:"bits"`
	Identifiers []Identifier `json:"identifiers"`
	Past        bool         `json:"past,omitempty"`
}

// Candidate is another record that was compared, with the result.
type Candidate struct {
	Record int64  `json:"record"`
	CI     string `json:"ci"`
	Rule   string `json:"rule"`
	Bits   int    `json:"bits"`
}

// ReviewCase is a pair of records that a person should decide.
type ReviewCase struct {
	A, B   int64 // A < B
	Type   string
	Reason Reason
}

// Finding is an observation about identity that people should know.
type Finding struct {
	Type       string     // Finding…
	Records    []int64    // sorted
	Identifier Identifier // "": the finding is not about one
	Text       string     // for people
}
