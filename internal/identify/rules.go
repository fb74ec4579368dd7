// Package identify decides which source records are one configuration item (CI). It normalizes the
// identifiers that sources report, groups records into candidate sets and partitions each set by
// weighted evidence. It does no I/O and reads no clock: the same candidate set, constraints and
// rules result in the same partition, in whatever order reports arrived. It does not choose
// attribute values; package reconcile does.
// Start with Rules.Partition for the algorithm, Rules.Normalize for identifiers and
// rules/rules.json for the weights.
package identify

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"sync"
)

//go:embed rules
var files embed.FS

// Rules are the thresholds, the weights and the values that identify nothing. They are immutable,
// so several goroutines may use them.
type Rules struct {
	document

	kinds       [kindCount]kind
	familyNames []string               // families that have kinds, sorted
	on          []int                  // the index of each family's On; -1: none
	families    []family               // in the order of familyNames
	reject      map[string][]*rejecter // by kind
}

// document is the JSON form of Rules.
type document struct {
	Version    string            `json:"version"`
	Thresholds thresholds        `json:"thresholds"`
	Enabled    map[string]bool   `json:"rules"`
	Families   map[string]family `json:"families"`
	Kinds      map[string]weight `json:"kinds"`
	Sources    map[string]string `json:"sources"` // the class of each inventory.SourceCategory; "": it only declares
	Rejects    []Reject          `json:"rejects"`
}

// thresholds are in bits of net evidence, see Rules.net, unless their names have another unit.
type thresholds struct {
	Link          int `json:"link"`          // links two records
	Review        int `json:"review"`        // opens a review
	Veto          int `json:"veto"`          // at or below: two records are never one CI
	Alive         int `json:"alive"`         // below: two agents that contradict each other at one time are never one CI
	Disagreement  int `json:"disagreement"`  // of one family: R3 does not apply
	Contradiction int `json:"contradiction"` // of all families at one time: two devices
	Families      int `json:"families"`      // the number that must agree for R4, or differ for another device
	Moved         int `json:"moved"`         // at or below: an installation is in another device than before
	Kept          int `json:"kept"`          // at or above: it is in the same one, whatever other records report
	OldDays       int `json:"old_days"`      // in days: two CIs of this age are merged only by a review
}

// family is a group of correlated kinds: only the best one counts.
type family struct {
	Hardware bool   `json:"hardware"`
	Weak     bool   `json:"weak"`  // it may open a review, and never links
	Bonus    int    `json:"bonus"` // in bits, if several of its kinds agree
	On       string `json:"on"`    // the family of the component that it is part of
}

// weight is the evidence of one kind of identifier, in bits: log2 of a likelihood ratio, as in the
// record linkage of Fellegi and Sunter (1969).
type weight struct {
	Family    string `json:"family"`
	Agree     int    `json:"agree"`      // for each identifier that two records share
	Disagree  int    `json:"disagree"`   // if both have identifiers and share none
	Cap       int    `json:"cap"`        // bounds the sum of agree
	Single    bool   `json:"single"`     // a device has one at a time
	InsteadOf string `json:"instead_of"` // it counts only if this kind does not agree; see substitute
}

var standard = sync.OnceValue(func() *Rules {
	r, err := embedded()
	if err != nil {
		panic(err) // the rules are embedded, and a test parses them
	}
	return r
})

// Default returns the built-in rules.
func Default() *Rules { return standard() }

// Parse returns the rules of a JSON document laid over Default. A kind, a family or the thresholds
// may name single fields; a reject with a known id replaces that one. The error names the invalid
// field.
func Parse(data []byte) (*Rules, error) {
	return Default().parse(data)
}

// Version identifies the rules; every decision stores it.
func (r *Rules) Version() string { return r.document.Version }

// Document returns the rules as JSON that Parse reads.
func (r *Rules) Document() ([]byte, error) { return json.Marshal(r.document) }

func embedded() (*Rules, error) {
	r := &Rules{document: document{
		Enabled: map[string]bool{}, Families: map[string]family{}, Kinds: map[string]weight{},
		Sources: map[string]string{},
	}}
	for _, rule := range decisionRules {
		if rule.name != ruleNew {
			r.Enabled[rule.name] = true
		}
	}
	for _, name := range kindNames {
		r.Kinds[name] = weight{}
	}
	rejects, err := embeddedRejects()
	if err != nil {
		return nil, err
	}
	r.Rejects = rejects
	data, err := files.ReadFile("rules/rules.json")
	if err != nil {
		return nil, err
	}
	return r.parse(data)
}

// parse lays a document over a copy of r.
func (r *Rules) parse(data []byte) (*Rules, error) {
	var raw struct {
		Version    *string                    `json:"version"`
		Thresholds json.RawMessage            `json:"thresholds"`
		Enabled    map[string]bool            `json:"rules"`
		Families   map[string]json.RawMessage `json:"families"`
		Kinds      map[string]json.RawMessage `json:"kinds"`
		Sources    map[string]string          `json:"sources"`
		Rejects    []Reject                   `json:"rejects"`
	}
	if err := decode(data, &raw); err != nil {
		return nil, fmt.Errorf("parse rules: %w", err)
	}
	next := &Rules{document: r.document}
	next.Enabled, next.Sources = maps.Clone(r.Enabled), maps.Clone(r.Sources)
	if raw.Version == nil || *raw.Version == "" {
		return nil, fmt.Errorf("parse rules: version is missing: decisions are kept with it")
	}
	next.document.Version = *raw.Version
	maps.Copy(next.Enabled, raw.Enabled)
	maps.Copy(next.Sources, raw.Sources)
	if raw.Thresholds != nil {
		if err := decode(raw.Thresholds, &next.Thresholds); err != nil {
			return nil, fmt.Errorf("parse rules: thresholds: %w", err)
		}
	}
	var err error
	if next.Families, err = overlay(r.Families, raw.Families); err != nil {
		return nil, fmt.Errorf("parse rules: family %w", err)
	}
	if next.Kinds, err = overlay(r.Kinds, raw.Kinds); err != nil {
		return nil, fmt.Errorf("parse rules: kind %w", err)
	}
	next.Rejects = replaceRejects(r.Rejects, raw.Rejects)
	if err := next.compile(); err != nil {
		return nil, fmt.Errorf("parse rules: %w", err)
	}
	return next, nil
}

// overlay sets the fields that over names in a copy of base.
func overlay[T any](base map[string]T, over map[string]json.RawMessage) (map[string]T, error) {
	merged := maps.Clone(base)
	for name, data := range over {
		value := merged[name]
		if err := decode(data, &value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		merged[name] = value
	}
	return merged, nil
}

func decodeFile(name string, to any) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if err := decode(data, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
