// Package identify tells which configuration item a record is about: it turns what sources say into identifiers that can be
// compared, and parts records into CIs by them. What it weighs with is data. It does no I/O and knows no clock: the
// same candidate set and the same rules give the same partition, in whatever order they came.
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

// Rules are what identity is decided by: thresholds, weights and the values that count for nothing. They do not change
// once they are made, so that many may use them at once.
type Rules struct {
	document

	kinds       [kindCount]kind
	familyNames []string               // of those that kinds belong to, sorted
	on          []int                  // the place of each one's family.On; -1: none
	families    []family               // by the place of their names
	reject      map[string][]*rejecter // by kind
	makers      *makers
}

// document is the form in which Rules are kept.
type document struct {
	Version    string            `json:"version"`
	Thresholds thresholds        `json:"thresholds"`
	Enabled    map[string]bool   `json:"rules"`
	Families   map[string]family `json:"families"`
	Kinds      map[string]weight `json:"kinds"`
	Sources    map[string]string `json:"sources"`
	Rejects    []Reject          `json:"rejects"`
}

// thresholds are bits, unless their names say otherwise. For less evidence against, see score.net.
type thresholds struct {
	Link          int `json:"link"`          // that link two records
	Review        int `json:"review"`        // that a person should see
	Veto          int `json:"veto"`          // at or below which two records are never one CI
	Alive         int `json:"alive"`         // below which those that contradict each other at one time are never one CI
	Disagreement  int `json:"disagreement"`  // of one family that R3 does not bear
	Contradiction int `json:"contradiction"` // of all families that tell two things apart that are there at one time
	Families      int `json:"families"`      // that must agree for R4, or differ for a device to be another: a number
	Moved         int `json:"moved"`         // at or below which an installation is in another device than before
	Kept          int `json:"kept"`          // at or above which it is in the same, whatever others say
	OldDays       int `json:"old_days"`      // the age from which two CIs are not made one without a person, in days
}

// family is a group of kinds that are correlated: of them the best one counts.
type family struct {
	Hardware bool   `json:"hardware"`
	Weak     bool   `json:"weak"`  // it may ask for a review, and never links
	Bonus    int    `json:"bonus"` // where several of its kinds agree, in bits
	On       string `json:"on"`    // the family of the part that it is replaced with
}

// weight is what a kind of identifier says, in bits: log2 of a likelihood ratio, as in record linkage after Fellegi and
// Sunter (1969).
type weight struct {
	Family    string `json:"family"`
	Agree     int    `json:"agree"`      // each token that two records have in common
	Disagree  int    `json:"disagree"`   // both have tokens, and none in common
	Cap       int    `json:"cap"`        // of all tokens in common
	Single    bool   `json:"single"`     // a thing has one at a time
	InsteadOf string `json:"instead_of"` // it counts only where this kind does not agree; see substitute
}

// The rules that can be switched off. R8, a CI of its own, is what is left when no rule applies.
const (
	ruleConstraint = "R0" // what was settled by a person, or by a fork
	ruleContinuity = "R1" // an agent stays with its device, though a part of it was replaced
	ruleNative     = "R2" // a platform vouches for it
	ruleStrong     = "R3" // enough evidence, and none against
	ruleMajority   = "R4" // enough evidence of several families, and some against
	ruleVeto       = "R5" // they contradict each other
	ruleReview     = "R6" // a person should look
	ruleMove       = "R7" // an installation moved to another device
	ruleNew        = "R8"
)

var standard = sync.OnceValue(func() *Rules {
	r, err := embedded()
	if err != nil {
		panic(err) // the data is part of the program
	}
	return r
})

// Default returns the rules that come with the program.
func Default() *Rules { return standard() }

// Parse returns the rules of a JSON document: what it does not name is as in Default. Of a kind, a family or the
// thresholds it may name single fields; a reject with a known id replaces that one. Where data cannot be right the
// error says which.
func Parse(data []byte) (*Rules, error) {
	return Default().parse(data)
}

// Version names the rules, for the decisions that were taken by them.
func (r *Rules) Version() string { return r.document.Version }

// Document returns the rules as JSON, as Parse reads them.
func (r *Rules) Document() ([]byte, error) { return json.Marshal(r.document) }

func embedded() (*Rules, error) {
	r := &Rules{document: document{
		Enabled: map[string]bool{}, Families: map[string]family{}, Kinds: map[string]weight{}, Sources: map[string]string{},
	}}
	for _, name := range ruleNames {
		r.Enabled[name] = true
	}
	for _, name := range kindNames {
		r.Kinds[name] = weight{}
	}
	rejects, err := embeddedRejects()
	if err != nil {
		return nil, err
	}
	r.Rejects = rejects
	var m makers
	if err := decodeFile("rules/makers.json", &m); err != nil {
		return nil, err
	}
	r.makers = m.compile()
	data, err := files.ReadFile("rules/rules.json")
	if err != nil {
		return nil, err
	}
	return r.parse(data)
}

var ruleNames = []string{
	ruleConstraint, ruleContinuity, ruleNative, ruleStrong, ruleMajority, ruleVeto, ruleReview, ruleMove,
}

// parse lays a document over r, which stays as it is.
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
	next := &Rules{document: r.document, makers: r.makers}
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

// overlay lays the fields that are named over those of base.
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
