package inventory

import "time"

// Graph is a part of the estate.
type Graph struct {
	Nodes     []GraphNode    `json:"nodes"`
	Edges     []Relationship `json:"edges"`
	Truncated bool           `json:"truncated"`
	AsOf      *time.Time     `json:"as_of,omitempty"`
}

// GraphNode is a CI of a graph.
type GraphNode struct {
	CIRef

	Depth int `json:"depth"`
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
