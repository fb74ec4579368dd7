package inventory

import "time"

// Identity explains why a CI is one thing.
type Identity struct {
	CI          string             `json:"ci"`
	Text        string             `json:"text"`
	Records     []IdentityRecord   `json:"records"`
	Constraints []ConstraintRecord `json:"constraints"`
	Decisions   []Decision         `json:"decisions"`
	Reviews     []Review           `json:"reviews"`
	Findings    []FindingRecord    `json:"findings"`
	AsOf        *time.Time         `json:"as_of,omitempty"`
}

// IdentityRecord is a source record with its evidence.
type IdentityRecord struct {
	Record      int64               `json:"record"`
	Source      string              `json:"source"`
	NativeKey   string              `json:"native_key"`
	FirstSeen   time.Time           `json:"first_seen"`
	LastSeen    *time.Time          `json:"last_seen,omitempty"`
	Primary     bool                `json:"primary"`
	Identifiers []IdentifierHistory `json:"identifiers"`
	Rejected    []Rejection         `json:"rejected"`
}

// IdentifierHistory is an identifier and when it was reported.
type IdentifierHistory struct {
	Identifier Identifier `json:"identifier"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
}

// ConstraintRecord is what was settled about two records.
type ConstraintRecord struct {
	ID        string     `json:"id"`
	Linked    bool       `json:"linked"`
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
	Action   string     `json:"action"`
	OldCI    string     `json:"old_ci,omitempty"`
	NewCI    string     `json:"new_ci"`
	Rule     string     `json:"rule"`
	Text     string     `json:"text"`
	Reason   Reason     `json:"reason"`
	Actor    string     `json:"actor,omitempty"`
	Note     string     `json:"note,omitempty"`
	UndoneAt *time.Time `json:"undone_at,omitempty"`
	UndoneBy string     `json:"undone_by,omitempty"`
	UndoNote string     `json:"undo_note,omitempty"`
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
