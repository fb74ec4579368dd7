package inventory

import "time"

// Attributes are the values of a CI by attribute: string, json.Number or bool. An unknown value is
// absent.
type Attributes map[string]any

// Observed is what one source reports about one CI.
type Observed struct {
	Class       string // "": unknown
	Attributes  Attributes
	Identifiers RawIdentifiers
	Components  []Component
	// Partial observations remove nothing: what is absent may still be there.
	Partial bool
	// FromFile: a list or a file reports it, which may be old. It does not restore a retired CI,
	// and its time is not when the thing was last seen.
	FromFile bool
}

// Component is a CI that a source observes at another one: a display, a disk, the operating system,
// a person.
type Component struct {
	Class        string
	Key          string // unique among the components of the class at the observer, e.g. the key of an item
	Attributes   Attributes
	Identifiers  RawIdentifiers
	Relationship string // its type
	Inverse      bool   // the relationship is from the observer to the component
	Idle         bool   // present but not in use: it may be in use elsewhere
	// By is the attribute by which a list names the component: it is the CI of its class with that
	// value. "": its identifiers determine which CI it is.
	By string
}

// Observation is what a source record reports after a change.
type Observation struct {
	Record   int64
	Observed Observed
}

// RecordAssignment is the CI that a source record was assigned to.
type RecordAssignment struct {
	CI                string
	LivenessDependent bool // an observation may change the CI or its primary record
}

// CandidateValues are one record's values for the attributes of a CI.
type CandidateValues struct {
	Record     int64
	Source     string
	Class      string
	Attributes Attributes
	Since      time.Time // when it reported the values first
	SeenAt     time.Time // when it was last observed
	Former     bool      // the record's installation is at another CI now: only its hardware counts
}

// Lock is a value that a person declared and that no source overrides.
type Lock struct {
	Attribute string     `json:"attribute"`
	Value     any        `json:"value"`
	Reason    string     `json:"reason"`
	Actor     string     `json:"actor"`
	LockedAt  time.Time  `json:"locked_at"`
	Until     *time.Time `json:"until,omitempty"`
}

// Effective is the result of reconciliation for a CI.
type Effective struct {
	Class      string
	Name       string
	Attributes Attributes // Name is not among them
	Provenance map[string]Provenance
	Conflicts  []string // attributes on which fresh sources disagree and that need a finding
}

// Provenance is the source of a value and the values that it was preferred to.
type Provenance struct {
	Record     int64        `json:"record,omitempty"`
	Source     string       `json:"source"`
	Rule       string       `json:"rule"`
	Suppressed []Suppressed `json:"suppressed,omitempty"`
}

// Suppressed is a value that another was preferred to.
type Suppressed struct {
	Record int64  `json:"record"`
	Source string `json:"source"`
	Value  any    `json:"value"`
}

// CI is a configuration item at one instant.
type CI struct {
	ID         string     `json:"id"`
	Class      string     `json:"class"`
	Name       string     `json:"name,omitempty"`
	Attributes Attributes `json:"attributes"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	RetiredAt  *time.Time `json:"retired_at,omitempty"`

	RetiredBy    string `json:"retired_by,omitempty"`
	RetireReason string `json:"retire_reason,omitempty"`
}

// CIDetails is a CI with the provenance of its values.
type CIDetails struct {
	CI

	ChangedAt  time.Time             `json:"changed_at"`
	Provenance map[string]Provenance `json:"provenance"`
	Locks      []Lock                `json:"locks"`
	Sources    []SourceRecord        `json:"sources"`
	AsOf       *time.Time            `json:"as_of,omitempty"`

	ObservationState string `json:"observation_state,omitempty"`
}

// SourceRecord is one source's view of a CI.
type SourceRecord struct {
	Record     int64      `json:"record"`
	Source     string     `json:"source"`
	NativeKey  string     `json:"native_key"`
	Class      string     `json:"class,omitempty"`
	Attributes Attributes `json:"attributes"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	Primary    bool       `json:"primary"`
}

// CIRef is a reference to a CI.
type CIRef struct {
	ID    string `json:"id"`
	Class string `json:"class"`
	Name  string `json:"name,omitempty"`
}

// Condition is one condition of a filter, all of which must hold.
type Condition struct {
	Attribute string // or "class", "name", "first_seen", "last_seen"
	Operator  string // "=", "!=", "<", "<=", ">", ">=", ":" (contains, in any case; with "*" as value: is known)
	Value     string
}

// CIQuery selects CIs.
type CIQuery struct {
	Page
	Class      string // and those below it; "": any
	Search     string // a part of the name, the serial number or the model, in any case
	Filter     []Condition
	OrderBy    string // an attribute, "name", "class" or "first_seen"; "": name
	Descending bool
	Retired    bool // with retired CIs
}

// NewCI is a CI that a person creates.
type NewCI struct {
	Class      string
	Name       string
	Attributes Attributes
}

// Declaration is what a person declares about a CI. A nil value removes what was declared for that
// attribute.
type Declaration struct {
	Class      *string // nil: unchanged
	Name       *string
	Attributes map[string]any
	Reason     string
}
