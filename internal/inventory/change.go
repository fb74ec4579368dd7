package inventory

import (
	"encoding/json"
	"time"
)

// FeedChange is one change of the estate.
type FeedChange struct {
	At      time.Time       `json:"at"`
	Type    string          `json:"type"`
	Action  string          `json:"action"`
	CI      CIRef           `json:"ci"`
	Source  string          `json:"source,omitempty"`
	Subject string          `json:"subject"`
	Name    string          `json:"name,omitempty"`
	Old     json.RawMessage `json:"old,omitempty"`
	New     json.RawMessage `json:"new,omitempty"`
	Actor   string          `json:"actor,omitempty"`
	Reason  string          `json:"reason,omitempty"`
}

// FeedQuery asks for changes of the estate, the oldest first.
type FeedQuery struct {
	Page          // After is where to go on
	CI     string // "": all
	Since  time.Time
	Until  time.Time // not in it; zero: what is settled now
	Class  string
	Type   string
	Source string
}
