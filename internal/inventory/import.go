package inventory

import "time"

// ImportRecord is one document of an import, ready to be applied.
type ImportRecord struct {
	Source    string // "glpi", "csv:hr", …
	NativeKey string
	Observed  Observed
	Match     Match
	// At is the date of the document; the zero time: the source has no dates, and what it reported
	// last counts. A document older than the one that is held is not applied.
	At time.Time
}

// Match selects the CI of a document: the one with a value of an attribute, or of "id". Zero: the
// evidence decides.
type Match struct{ By, Value string }

// ImportOutcome is the result of an ImportRecord.
type ImportOutcome struct {
	Record   int64
	CI       string
	Created  bool     // the CI is new
	Older    bool     // it was not applied, because a newer document is held
	Changed  bool     // the values of the record changed
	Problem  string   // why the document was rejected; "": it was accepted
	Warnings []string // the parts of it that were rejected
}

// ImportOptions are the settings of an import.
type ImportOptions struct {
	Format   string
	Name     string // of the source, e.g. "hr"
	Encoding string // of the file, e.g. "windows-1252"; "": what the file or the mapping declares, else UTF-8
	Mapping  []byte // JSON that defines the columns of a CSV file; nil: by well-known names
	Actor    Actor  // who sends the file
	DryRun   bool   // report what would change, and change nothing
	Live     bool   // the machine itself sends the file now: that is an observation
}

// ImportReport is the result of an import.
type ImportReport struct {
	Format    string      `json:"format"`
	DryRun    bool        `json:"dry_run"`
	Created   int         `json:"created"`
	Changed   int         `json:"changed"`
	Unchanged int         `json:"unchanged"`
	Rejected  int         `json:"rejected"`
	Warnings  []string    `json:"warnings,omitempty"`
	Documents []ImportRow `json:"documents"`
}

// ImportRow is the result of one document.
type ImportRow struct {
	Position  string   `json:"position"`
	NativeKey string   `json:"native_key,omitempty"`
	Outcome   string   `json:"outcome"`
	CI        string   `json:"ci,omitempty"`
	Problem   string   `json:"problem,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}
