package inventory

import "time"

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

// Actor is who does something, and why.
type Actor struct {
	Name   string // of the API token
	Reason string
	// Saw is the ChangedAt of the CI that they act on, as they saw it. Where it is another by now, nothing is done: an Error
	// with CodeStale. Zero: whatever it is.
	Saw time.Time
}

// NewRelationship is a relationship that a person states.
type NewRelationship struct {
	Type       string
	From, To   string // CIs
	Attributes map[string]any
}

// RelationshipQuery asks for relationships, current at the page's instant, or of all times.
type RelationshipQuery struct {
	Page
	CI   string // at either end; "": any
	Type string // "": any
	Past bool   // those that ended before the instant too
}

// The directions of a GraphQuery.
const (
	DirectionOut  = "out"
	DirectionIn   = "in"
	DirectionBoth = "both"
)

// GraphQuery asks for what is around a CI.
type GraphQuery struct {
	CI        string
	AsOf      time.Time // zero: now
	Depth     int       // in relationships, at least 1
	Direction string
	Types     []string // none: all
	MaxNodes  int      // where to stop
	// Impact follows only what suffers when the CI fails, whatever the direction of the relationship.
	Impact bool
}

// Graph is a part of the estate.
type Graph struct {
	Nodes     []GraphNode    `json:"nodes" nullable:"false"`
	Edges     []Relationship `json:"edges" nullable:"false"`
	Truncated bool           `json:"truncated" doc:"There is more than could be shown: ask for less depth, or fewer types."`
	AsOf      *time.Time     `json:"as_of,omitempty" doc:"As in the request."`
}

// GraphNode is a CI of a graph.
type GraphNode struct {
	CIRef

	Depth int `json:"depth" doc:"How many relationships away it is; 0: the CI asked about."`
}

// BaselineDiff asks how CIs differ between two instants.
type BaselineDiff struct {
	Page         // AsOf is not used
	From, To     time.Time
	Class        string // and those below it; "": all
	ChangedItems bool   // the items too, not only their number
}

// CIDiff says how a CI differs between two instants.
type CIDiff struct {
	CI            CIRef              `json:"ci"`
	Change        string             `json:"change" enum:"added,removed,changed"`
	Attributes    []ValueDiff        `json:"attributes,omitempty"`
	ItemsAdded    int                `json:"items_added"`
	ItemsRemoved  int                `json:"items_removed"`
	ItemsChanged  int                `json:"items_changed"`
	Items         []ItemDiff         `json:"items,omitempty"`
	Relationships []RelationshipDiff `json:"relationships,omitempty"`
}

// ValueDiff is a value before and after; absent: unknown.
type ValueDiff struct {
	Attribute string `json:"attribute"`
	Old       any    `json:"old,omitempty"`
	New       any    `json:"new,omitempty"`
}

// ItemDiff is an item before and after; absent: it was not there.
type ItemDiff struct {
	Section string     `json:"section"`
	Old     Attributes `json:"old,omitempty"`
	New     Attributes `json:"new,omitempty"`
}

// RelationshipDiff is a relationship that is held at one of the instants only.
type RelationshipDiff struct {
	Change    string `json:"change" enum:"began,ended"`
	Type      string `json:"type"`
	Direction string `json:"direction" enum:"out,in" doc:"Out: the CI is the end that the relationship is from."`
	Verb      string `json:"verb" doc:"What the CI does to the other, e.g. contains or is contained in."`
	Other     CIRef  `json:"other"`
}

// DiffSummary is a diff in sum.
type DiffSummary struct {
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Added        int       `json:"added" doc:"CIs that are only in the later one."`
	Removed      int       `json:"removed"`
	Changed      int       `json:"changed"`
	ItemsAdded   int       `json:"items_added"`
	ItemsRemoved int       `json:"items_removed"`
	ItemsChanged int       `json:"items_changed"`
}

// Identity explains why a CI is one thing.
type Identity struct {
	CI          string             `json:"ci"`
	Text        string             `json:"text" doc:"The same in words."`
	Records     []IdentityRecord   `json:"records" nullable:"false"`
	Constraints []ConstraintRecord `json:"constraints" nullable:"false"`
	Decisions   []Decision         `json:"decisions" nullable:"false" doc:"The latest first."`
	Reviews     []Review           `json:"reviews" nullable:"false"`
	Findings    []FindingRecord    `json:"findings" nullable:"false"`
	AsOf        *time.Time         `json:"as_of,omitempty"`
}

// IdentityRecord is a source record with its evidence.
type IdentityRecord struct {
	Record      int64               `json:"record"`
	Source      string              `json:"source"`
	NativeKey   string              `json:"native_key"`
	FirstSeen   time.Time           `json:"first_seen"`
	LastSeen    *time.Time          `json:"last_seen,omitempty"`
	Primary     bool                `json:"primary" doc:"Whether its inventory is the CI's."`
	Identifiers []IdentifierHistory `json:"identifiers" nullable:"false"`
	Rejected    []Rejection         `json:"rejected" nullable:"false"`
}

// IdentifierHistory is an identifier and when it was reported.
type IdentifierHistory struct {
	Identifier Identifier `json:"identifier"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   *time.Time `json:"last_seen,omitempty" doc:"Absent while it is reported."`
}

// ConstraintRecord is what was settled about two records.
type ConstraintRecord struct {
	ID        string     `json:"id"`
	Linked    bool       `json:"linked" doc:"Whether they are one CI or never are."`
	RecordA   int64      `json:"record_a"`
	RecordB   int64      `json:"record_b"`
	Origin    string     `json:"origin"`
	Actor     string     `json:"actor,omitempty"`
	Reason    string     `json:"reason"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// Decision is why a record came to be where it is.
type Decision struct {
	ID       int64      `json:"id"`
	At       time.Time  `json:"at"`
	Record   int64      `json:"record"`
	Action   string     `json:"action" enum:"created,linked,merged,split,moved,confirmed"`
	OldCI    string     `json:"old_ci,omitempty"`
	NewCI    string     `json:"new_ci"`
	Rule     string     `json:"rule"`
	Text     string     `json:"text"`
	Reason   Reason     `json:"reason"`
	Actor    string     `json:"actor,omitempty" doc:"The person who caused it, if it was one."`
	Note     string     `json:"note,omitempty" doc:"Why, as the person said."`
	UndoneAt *time.Time `json:"undone_at,omitempty"`
	UndoneBy string     `json:"undone_by,omitempty"`
	UndoNote string     `json:"undo_note,omitempty"`
}

// Review is a question to a person: are two records one thing?
type Review struct {
	ID       string     `json:"id"`
	Type     string     `json:"type"`
	RecordA  int64      `json:"record_a"`
	RecordB  int64      `json:"record_b"`
	CIA      CIRef      `json:"ci_a"`
	CIB      CIRef      `json:"ci_b"`
	Text     string     `json:"text"`
	Reason   Reason     `json:"reason"`
	OpenedAt time.Time  `json:"opened_at"`
	ClosedAt *time.Time `json:"closed_at,omitempty"`
	Verdict  string     `json:"verdict,omitempty" enum:"accepted,kept_separate,obsolete"`
	Actor    string     `json:"actor,omitempty"`
	Note     string     `json:"note,omitempty"`
}

// ReviewQuery asks for reviews, the oldest first.
type ReviewQuery struct {
	Page
	State string // "open", "closed"; "": all
	CI    string // "": any
}

// FindingRecord is something about identity that people should know.
type FindingRecord struct {
	Type       string     `json:"type"`
	Records    []int64    `json:"records"`
	Identifier Identifier `json:"identifier,omitempty"`
	Text       string     `json:"text"`
	OpenedAt   time.Time  `json:"opened_at"`
	ClosedAt   *time.Time `json:"closed_at,omitempty"`
}

// Simulation says what another set of rules would change.
type Simulation struct {
	RulesVersion string            `json:"rules_version"`
	Records      int               `json:"records" doc:"How many were looked at."`
	Merges       []SimulatedChange `json:"merges" nullable:"false"`
	Splits       []SimulatedChange `json:"splits" nullable:"false"`
	Truncated    bool              `json:"truncated" doc:"There are more than are listed."`
}

// SimulatedChange is a merge of several CIs into one, or the split of one into several.
type SimulatedChange struct {
	CIs     []CIRef `json:"cis" nullable:"false" doc:"As they are now."`
	Records []int64 `json:"records" nullable:"false"`
	Text    string  `json:"text"`
}

// ImportRecord is one document of an import, ready to be applied.
type ImportRecord struct {
	Source    string // "glpi", "csv:hr", …
	NativeKey string
	Observed  Observed
	Match     Match
}

// Match says which CI a document is about: the one that has a value of an attribute, or of "id". The zero value: evidence
// tells.
type Match struct{ By, Value string }

// ImportOutcome says what became of an ImportRecord.
type ImportOutcome struct {
	Record   int64
	CI       string
	Created  bool     // the CI is new
	Changed  bool     // the record says something else than before
	Problem  string   // why the document was left out; "": it was not
	Warnings []string // what of it was left out
}

// ImportOptions are the settings of an import.
type ImportOptions struct {
	Format  string
	Name    string // of the source, e.g. "hr"
	Mapping []byte // JSON that defines the columns of a CSV file; nil: by well-known names
	DryRun  bool   // report what would change, and change nothing
}

// ImportReport is the result of an import.
type ImportReport struct {
	Format    string      `json:"format"`
	DryRun    bool        `json:"dry_run"`
	Created   int         `json:"created" doc:"Documents that created a CI."`
	Changed   int         `json:"changed" doc:"Documents that changed an existing CI."`
	Unchanged int         `json:"unchanged"`
	Rejected  int         `json:"rejected"`
	Warnings  []string    `json:"warnings,omitempty" doc:"What was ignored in all documents, such as a column, and why."`
	Documents []ImportRow `json:"documents" nullable:"false"`
}

// ImportRow is the result of one document.
type ImportRow struct {
	Position  string   `json:"position" doc:"In the file: \"line 12\", \"object 3\" or \"row 7\"."`
	NativeKey string   `json:"native_key,omitempty" doc:"The source's id of the document."`
	Outcome   string   `json:"outcome" enum:"created,changed,unchanged,rejected"`
	CI        string   `json:"ci,omitempty"`
	Problem   string   `json:"problem,omitempty" doc:"Why the document was rejected."`
	Warnings  []string `json:"warnings,omitempty" doc:"What was ignored, and why."`
}
