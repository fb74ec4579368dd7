package inventory

import (
	"encoding/json"
	"time"
)

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
	Until     *time.Time `json:"until,omitempty" doc:"Absent: until it is released."`
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
	Rule       string       `json:"rule" doc:"lock, only, fresh, precedence, latest, or, for a class, specific."`
	Suppressed []Suppressed `json:"suppressed,omitempty" doc:"What other sources say."`
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
	LastSeen   *time.Time `json:"last_seen,omitempty" doc:"Absent from answers about the past."`
	RetiredAt  *time.Time `json:"retired_at,omitempty"`

	RetiredBy    string `json:"retired_by,omitempty"`
	RetireReason string `json:"retire_reason,omitempty"`
}

// CIDetails is a CI with the provenance of its values.
type CIDetails struct {
	CI

	ChangedAt  time.Time             `json:"changed_at" doc:"When what is taken to be true of it, or the reason for that, changed last."`
	Provenance map[string]Provenance `json:"provenance" doc:"By attribute."`
	Locks      []Lock                `json:"locks" nullable:"false"`
	Sources    []SourceRecord        `json:"sources" nullable:"false"`
	AsOf       *time.Time            `json:"as_of,omitempty" doc:"As in the request."`

	ObservationState string `json:"observation_state,omitempty" enum:"active,silent,stale,absent" doc:"Active: a source that observes it was heard of within three check-ins. Stale and absent: none was for 30 and 90 days, of a container for 6 hours and a day. Absent where nobody observes it, and from answers about the past."`
}

// SourceRecord is one source's view of a CI.
type SourceRecord struct {
	Record     int64      `json:"record"`
	Source     string     `json:"source"`
	NativeKey  string     `json:"native_key" doc:"What the source calls it."`
	Class      string     `json:"class,omitempty"`
	Attributes Attributes `json:"attributes"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	Primary    bool       `json:"primary" doc:"Whether its inventory is the CI's."`
}

// Class is a class of CIs. A class has the attributes of its parents too.
type Class struct {
	Name        string `json:"name"`
	Parent      string `json:"parent,omitempty" doc:"Absent: it is ci, the root."`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
	BuiltIn     bool   `json:"built_in"`
}

// Attribute is a typed property of the CIs of a class.
type Attribute struct {
	Class       string   `json:"class" doc:"The class that it was declared for; those below it have it too."`
	Name        string   `json:"name"`
	Type        string   `json:"type" enum:"text,integer,number,boolean,date,timestamp,choice"`
	Choices     []string `json:"choices,omitempty"`
	Label       string   `json:"label"`
	Description string   `json:"description,omitempty"`
	BuiltIn     bool     `json:"built_in"`
}

// RelationshipType is a type of relationship, with its verb in both directions.
type RelationshipType struct {
	Name        string `json:"name"`
	Verb        string `json:"verb" doc:"From … to, e.g. contains."`
	InverseVerb string `json:"inverse_verb" doc:"To … from, e.g. is contained in."`
	FromClass   string `json:"from_class"`
	ToClass     string `json:"to_class"`
	// Impact is the end that suffers when the other one fails.
	Impact  string `json:"impact" enum:"none,from_suffers,to_suffers" doc:"Which end suffers when the other fails."`
	BuiltIn bool   `json:"built_in"`
}

// Relationship is a relationship of two CIs and the time in which it held.
type Relationship struct {
	ID         int64          `json:"id"`
	Type       string         `json:"type"`
	Verb       string         `json:"verb"`
	From       CIRef          `json:"from"`
	To         CIRef          `json:"to"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Source     string         `json:"source"`
	ValidFrom  time.Time      `json:"valid_from"`
	ValidTo    *time.Time     `json:"valid_to,omitempty" doc:"Absent while it holds."`

	// The audit entries of its declaration and its end; empty for an observed relationship.
	Actor     string `json:"actor,omitempty" doc:"Who stated it. Absent of one that is observed."`
	Reason    string `json:"reason,omitempty"`
	EndedBy   string `json:"ended_by,omitempty"`
	EndReason string `json:"end_reason,omitempty"`
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
	Retired    bool // those that are retired too
}

// FeedChange is one change in the CMDB.
type FeedChange struct {
	At      time.Time       `json:"at"`
	Type    string          `json:"type" enum:"item,attribute,ci,relationship,identity"`
	Action  string          `json:"action" doc:"E.g. installed, removed, upgraded, changed, created, retired, began, ended, merged, split."`
	CI      CIRef           `json:"ci"`
	Source  string          `json:"source,omitempty"`
	Subject string          `json:"subject" doc:"The section, attribute, relationship type or rule."`
	Name    string          `json:"name,omitempty" doc:"The item's name, or the other CI's."`
	Old     json.RawMessage `json:"old,omitempty"`
	New     json.RawMessage `json:"new,omitempty"`
	Actor   string          `json:"actor,omitempty" doc:"The person who did it, if it was one."`
	Reason  string          `json:"reason,omitempty" doc:"Why, as the person said."`
}

// FeedQuery selects changes in the CMDB, the oldest first.
type FeedQuery struct {
	Page          // After is the end of the previous page
	CI     string // "": all
	Since  time.Time
	Until  time.Time // exclusive; zero: every change that is visible now
	Class  string
	Type   string
	Source string
}

// Baseline is a named instant.
type Baseline struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	At        time.Time `json:"at"`
	Class     string    `json:"class,omitempty" doc:"Only CIs of this class and those below it."`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
}
