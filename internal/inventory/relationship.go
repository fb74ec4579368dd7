package inventory

import "time"

// Relationship is a relationship of two CIs and when it held.
type Relationship struct {
	ID         int64          `json:"id"`
	Type       string         `json:"type"`
	Verb       string         `json:"verb"`
	From       CIRef          `json:"from"`
	To         CIRef          `json:"to"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Source     string         `json:"source"`
	ValidFrom  time.Time      `json:"valid_from"`
	ValidTo    *time.Time     `json:"valid_to,omitempty"`

	// Who stated it, who ended it, and why; all empty of one that is observed.
	Actor     string `json:"actor,omitempty"`
	Reason    string `json:"reason,omitempty"`
	EndedBy   string `json:"ended_by,omitempty"`
	EndReason string `json:"end_reason,omitempty"`
}

// RelationshipType is a kind of relationship, with its verb in both directions.
type RelationshipType struct {
	Name        string `json:"name"`
	Verb        string `json:"verb"`
	InverseVerb string `json:"inverse_verb"`
	FromClass   string `json:"from_class"`
	ToClass     string `json:"to_class"`
	// Impact says who suffers when the other end fails.
	Impact  string `json:"impact"`
	BuiltIn bool   `json:"built_in"`
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
