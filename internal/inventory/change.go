package inventory

import (
	"encoding/json"
	"time"
)

// FeedChange is one change in the CMDB.
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
