package inventory

import "time"

// RawIdentifiers are what a source says by which a thing can be told from others, as the source said it: nothing is
// judged, cut or converted. Empty is unknown.
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
	Interfaces          []InterfaceID
	Disks               []DiskID
	OSInstallID         string   // machine-id, MachineGuid
	Native              []string // ids that a platform vouches for, "scope:id": a cloud's instance, a slot of a pool
	Hostname            string
	FQDN                string
	Virtual             bool
	Container           string // its type; not empty: the hardware it sees is its host's
}

// InterfaceID is what tells network interfaces apart.
type InterfaceID struct {
	MAC       string
	Permanent string // the one that it was made with
	Type      string // "ethernet", "wifi", "bridge", …
	Virtual   bool
}

// DiskID is what tells disks apart.
type DiskID struct {
	Manufacturer string
	Model        string
	SerialNumber string
	WWN          string
	Bus          string
	Removable    bool
}

// Identifier is an identifier in its one form, fit to be compared: "kind:scope|value", folded.
type Identifier string

// Rejection says why an identifier counts for nothing.
type Rejection struct {
	Kind    string `json:"kind"`
	Value   string `json:"value"`
	Pattern string `json:"pattern"`
	// Host is the token that it would be if it were not the host's, of whom a container tells.
	Host Identifier `json:"-"`
}

// IdentifierInterval is a token that a record's thing was seen with. Claims are a lattice: joined by the earliest First and
// the latest Last, so that neither order nor repetition of reports matters.
type IdentifierInterval struct {
	Identifier Identifier
	First      time.Time
	Last       time.Time // that of the record, while the token is reported
}

// RecordEvidence is a source record as identity sees it.
type RecordEvidence struct {
	Record      int64
	Source      string    // "agent", "manual", …; what is behind a colon is a name
	BaseClass   string    // the class below ci that its thing is of: "computer", "monitor", …; "": not said
	CreatedAt   time.Time // when it was first heard of
	SeenAt      time.Time // when it was last heard of
	DefaultCI   string    // the CI that is its own, should it be no other's
	Identifiers []IdentifierInterval
}

// Constraint is what was settled about two records, whatever the evidence says.
type Constraint struct {
	A, B   int64
	Linked bool   // false: never one CI
	Origin string // "operator", "review", "fork"
}

// CandidateSet is all that one decision looks at: records that have tokens in common, directly or through others,
// and the constraints between them. The order of its parts means nothing.
type CandidateSet struct {
	Records     []RecordEvidence
	Constraints []Constraint
	OverShared  []Identifier // held by too many to look at; they count for nothing
}

// Partition says which records are one CI. It is a function of a Neighborhood and a set of rules, and of nothing else.
type Partition struct {
	Assignments       []Assignment
	Reviews           []ReviewCase
	Findings          []Finding
	Shared            []Identifier // held by things that are not one: they count for nothing
	LivenessDependent []int64      // records whose place depends on who is heard of next
}

// Assignment says which CI a record's thing is, and why.
type Assignment struct {
	Record int64
	CI     string
	// Primary tells whether the record's inventory is the CI's: of several agents on one installation one is.
	Primary bool
	// PreviousCIs are the CIs that the record's thing was before it became another: its disk moved there from them.
	PreviousCIs []string
	Reason      Reason
}

// Reason is why a decision was taken, in a form that programs read.
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

// Evidence is what one family of identifiers says about two records.
type Evidence struct {
	Family      string       `json:"family"`
	Bits        int          `json:"bits"`
	Identifiers []Identifier `json:"identifiers"`
	Past        bool         `json:"past,omitempty"`
}

// Candidate is a record that was considered, and with what result.
type Candidate struct {
	Record int64  `json:"record"`
	CI     string `json:"ci"`
	Rule   string `json:"rule"`
	Bits   int    `json:"bits"`
}

// ReviewCase is a pair of records that a person should decide about.
type ReviewCase struct {
	A, B   int64 // A < B
	Type   string
	Reason Reason
}

// Finding is something about identity that people should know.
type Finding struct {
	Type       string     // "shared_identifier", "two_agents", "board_replaced", …
	Records    []int64    // sorted
	Identifier Identifier // "": not about one
	Text       string     // for people
}
