package inventory

import "time"

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
	ValidTo    *time.Time     `json:"valid_to,omitempty"`

	// The audit entries of its declaration and its end; empty for an observed relationship.
	Actor     string `json:"actor,omitempty"`
	Reason    string `json:"reason,omitempty"`
	EndedBy   string `json:"ended_by,omitempty"`
	EndReason string `json:"end_reason,omitempty"`
}

// RelationshipType is a type of relationship, with its verb in both directions.
type RelationshipType struct {
	Name        string `json:"name"`
	Verb        string `json:"verb"`
	InverseVerb string `json:"inverse_verb"`
	FromClass   string `json:"from_class"`
	ToClass     string `json:"to_class"`
	// Impact is the end that suffers when the other one fails.
	Impact  string `json:"impact"`
	BuiltIn bool   `json:"built_in"`
}

// NewRelationship is a relationship that a person declares.
type NewRelationship struct {
	Type       string
	From, To   string // CIs
	Attributes map[string]any
}

// RelationshipQuery selects relationships, current at the page's instant or of all times.
type RelationshipQuery struct {
	Page
	CI   string // at either end; "": any
	Type string // "": any
	Past bool   // with those that ended before the instant
}
