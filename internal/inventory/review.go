package inventory

import "time"

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
	Verdict  string     `json:"verdict,omitempty"`
	Actor    string     `json:"actor,omitempty"`
	Note     string     `json:"note,omitempty"`
}

// ReviewQuery asks for reviews, the oldest first.
type ReviewQuery struct {
	Page
	State string // "open", "closed"; "": all
	CI    string // "": any
}
