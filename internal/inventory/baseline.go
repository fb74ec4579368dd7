package inventory

import "time"

// Baseline is a named instant.
type Baseline struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	At        time.Time `json:"at"`
	Class     string    `json:"class,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
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
	Change        string             `json:"change"`
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
	Change    string `json:"change"`
	Type      string `json:"type"`
	Direction string `json:"direction"`
	Verb      string `json:"verb"`
	Other     CIRef  `json:"other"`
}

// DiffSummary is a diff in sum.
type DiffSummary struct {
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Added        int       `json:"added"`
	Removed      int       `json:"removed"`
	Changed      int       `json:"changed"`
	ItemsAdded   int       `json:"items_added"`
	ItemsRemoved int       `json:"items_removed"`
	ItemsChanged int       `json:"items_changed"`
}
