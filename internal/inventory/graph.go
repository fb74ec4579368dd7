package inventory

import "time"

// Graph is a part of the CMDB.
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

// Directions of a GraphQuery.
const (
	DirectionOut  = "out"
	DirectionIn   = "in"
	DirectionBoth = "both"
)

// GraphQuery selects the CIs around a CI.
type GraphQuery struct {
	CI        string
	AsOf      time.Time // zero: now
	Depth     int       // in relationships, at least 1
	Direction string
	Types     []string // none: all
	MaxNodes  int      // where to stop
	// Impact follows only relationships to CIs that suffer when the CI fails, in either direction.
	Impact bool
}
