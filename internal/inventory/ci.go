package inventory

import "time"

// Attributes are the values of a CI by the names of their attributes: strings, json.Number, bool. What is unknown is absent.
type Attributes map[string]any

// Observed is what one source says of one thing.
type Observed struct {
	Class       string // "": not said
	Attributes  Attributes
	Identifiers RawIdentifiers
	Components  []Component
	// Partial says that what is absent may still be: it takes back nothing.
	Partial bool
}

// Component is a thing of its own that a source sees at another: a display, a disk, the operating system, a person.
type Component struct {
	Class        string
	Key          string // names it among the parts of that class, e.g. its item's key
	Attributes   Attributes
	Identifiers  RawIdentifiers
	Relationship string // its type
	Inverse      bool   // the relationship is from the whole to the part
	Idle         bool   // it is there, and not in use there: it may be in use elsewhere
	// By is the attribute that names the part, where a list does: it is the CI of its class that has the value. "": its
	// identifiers tell which one it is.
	By string
}

// Observation is what a source record says after a change.
type Observation struct {
	Record   int64
	Observed Observed
}

// RecordAssignment is where a source record was found to belong.
type RecordAssignment struct {
	CI                string
	LivenessDependent bool // that its thing is heard of may change that, or whose inventory is shown
}

// CandidateValues is what one record says of a CI's attributes.
type CandidateValues struct {
	Record     int64
	Source     string
	Class      string
	Attributes Attributes
	Since      time.Time // when it said so first
	SeenAt     time.Time // when it was last heard of
	Former     bool      // the record's thing is another CI now: its installation says nothing of this one
}

// Lock is a value that a person holds against all sources.
type Lock struct {
	Attribute string     `json:"attribute"`
	Value     any        `json:"value"`
	Reason    string     `json:"reason"`
	Actor     string     `json:"actor"`
	LockedAt  time.Time  `json:"locked_at"`
	Until     *time.Time `json:"until,omitempty"`
}

// Effective is what is taken to be true of a CI.
type Effective struct {
	Class      string
	Name       string
	Attributes Attributes // Name is not among them
	Provenance map[string]Provenance
	Conflicts  []string // attributes on which fresh sources disagree and that people should know of
}

// Provenance says where a value comes from and what it was preferred to.
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

// CIDetails is a CI with the reasons for what it says.
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

// CIRef names a CI within another answer.
type CIRef struct {
	ID    string `json:"id"`
	Class string `json:"class"`
	Name  string `json:"name,omitempty"`
}

// Condition is a part of a filter: all of them must hold.
type Condition struct {
	Attribute string // or "class", "name", "first_seen", "last_seen"
	Operator  string // "=", "!=", "<", "<=", ">", ">=", ":" (contains, in any case; with "*" as value: is known)
	Value     string
}

// CIQuery asks for CIs.
type CIQuery struct {
	Page
	Class      string // and those below it; "": any
	Search     string // a part of the name, the serial number or the model, in any case
	Filter     []Condition
	OrderBy    string // an attribute, "name", "class" or "first_seen"; "": name
	Descending bool
	Retired    bool // those that are retired too
}

// NewCI is a CI that a person makes.
type NewCI struct {
	Class      string
	Name       string
	Attributes Attributes
}

// Declaration is what a person says of a CI. A nil value takes back what was said of that attribute.
type Declaration struct {
	Class      *string // nil: as it was said before
	Name       *string
	Attributes map[string]any
	Reason     string
}
