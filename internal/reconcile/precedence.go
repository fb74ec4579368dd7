package reconcile

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
)

// anySourceType stands for the kinds of sources that are not named.
const anySourceType = "*"

//go:embed precedence.json
var defaultPrecedence []byte

// Precedence says whose word counts for which attribute. A source's kind is what is before the colon of its name.
// A Precedence does not change and may be used by several goroutines.
type Precedence struct {
	data   precedenceData
	groups map[string]*precedenceGroup // by attribute
	rest   *precedenceGroup            // of the attributes that no group names
	parent func(class string) string
}

// precedenceData is the document. Kinds that are not named are those of "*".
type precedenceData struct {
	Version string `json:"version"`
	// StaleAfterDays says after how many days of silence a source's word is stale; 0: never, it was declared.
	StaleAfterDays   map[string]int    `json:"stale_after_days"`
	Groups           []precedenceGroup `json:"groups"`
	Observers        []string          `json:"observers"`         // kinds whose sight of a thing tells that it is in use
	WithoutLifecycle []string          `json:"without_lifecycle"` // classes of things that are never in use in that sense
	Installation     []string          `json:"installation"`      // attributes that go with the disk that the system is on
	Conflicting      []string          `json:"conflicting"`       // attributes on which sources should not disagree
}

// precedenceGroup is the order of sources for a group of attributes, the best first.
type precedenceGroup struct {
	Name       string     `json:"name"`
	Attributes []string   `json:"attributes"` // none: all that no other group names
	Lasting    bool       `json:"lasting"`    // silence does not age these values
	Beginnings []string   `json:"beginnings"` // values that give way to all others, unless the best kind says them
	Order      [][]string `json:"order"`      // kinds of one rank stand together; who is not there is not heard
}

// DefaultPrecedence is what holds unless it is configured otherwise.
func DefaultPrecedence() *Precedence {
	p, err := ParsePrecedence(defaultPrecedence)
	if err != nil {
		panic(err) // it is part of the program, and a test reads it
	}
	return p
}

// ParsePrecedence reads a precedence, a JSON document in the form of the default one. The error says what is wrong
// where.
func ParsePrecedence(document []byte) (*Precedence, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	p := &Precedence{groups: map[string]*precedenceGroup{}, parent: func(string) string { return "" }}
	if err := decoder.Decode(&p.data); err != nil {
		return nil, fmt.Errorf("read precedence: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read precedence: something follows the document")
	}
	if err := p.index(); err != nil {
		return nil, fmt.Errorf("read precedence: %w", err)
	}
	return p, nil
}

// WithClasses returns the same precedence with knowledge of the classes: parent returns a class's parent, "" for the
// root and for a class that is not known. Without it no class is a kind of another.
func (p *Precedence) WithClasses(parent func(class string) string) *Precedence {
	with := *p
	with.parent = parent
	return &with
}

// Version names the document.
func (p *Precedence) Version() string { return p.data.Version }

// index checks the document and makes its groups ready to be looked up.
func (p *Precedence) index() error {
	if p.data.Version == "" {
		return errors.New("version is missing")
	}
	for sourceType, days := range p.data.StaleAfterDays {
		if days < 0 {
			return fmt.Errorf("stale_after_days: %s has %d days", sourceType, days)
		}
	}
	for i := range p.data.Groups {
		if err := p.add(&p.data.Groups[i]); err != nil {
			return fmt.Errorf("group %q: %w", p.data.Groups[i].Name, err)
		}
	}
	if p.rest == nil {
		return errors.New("no group is for the attributes that no other group names")
	}
	return nil
}

func (p *Precedence) add(r *precedenceGroup) error {
	sourceTypes := slices.Concat(r.Order...)
	if len(sourceTypes) == 0 {
		return errors.New("order is missing")
	}
	for i, sourceType := range sourceTypes {
		if sourceType == "" || strings.Contains(sourceType, ":") {
			return fmt.Errorf("order: %q is no kind of source", sourceType)
		}
		if slices.Contains(sourceTypes[:i], sourceType) {
			return fmt.Errorf("order: %s is there twice", sourceType)
		}
	}
	if len(r.Attributes) == 0 {
		if p.rest != nil {
			return fmt.Errorf("attributes are missing, and group %q has none either", p.rest.Name)
		}
		p.rest = r
	}
	for _, attribute := range r.Attributes {
		if other := p.groups[attribute]; other != nil {
			return fmt.Errorf("attributes: %s is in group %q too", attribute, other.Name)
		}
		p.groups[attribute] = r
	}
	return nil
}

// groupOf returns the group that an attribute is in.
func (p *Precedence) groupOf(attribute string) *precedenceGroup {
	if r := p.groups[attribute]; r != nil {
		return r
	}
	return p.rest
}

// rankOf returns the place of what a kind of sources says in the order, 0 for the best; false where it is not heard.
func (r *precedenceGroup) rankOf(sourceType string, value any) (int, bool) {
	rank, heard := r.rank(sourceType)
	if text, is := value.(string); is && rank > 0 && slices.Contains(r.Beginnings, text) {
		return len(r.Order), heard
	}
	return rank, heard
}

func (r *precedenceGroup) rank(sourceType string) (int, bool) {
	others := -1
	for i, sourceTypes := range r.Order {
		if slices.Contains(sourceTypes, sourceType) {
			return i, true
		}
		if slices.Contains(sourceTypes, anySourceType) {
			others = i
		}
	}
	return others, others >= 0
}

// stalenessWindow tells how long a source may be silent before its word is stale; 0: for ever.
func (p *Precedence) stalenessWindow(sourceType string) time.Duration {
	days, ok := p.data.StaleAfterDays[sourceType]
	if !ok {
		days = p.data.StaleAfterDays[anySourceType]
	}
	return time.Duration(days) * 24 * time.Hour
}

// maxDepth bounds the classes above a class: people make classes, and could make a circle of them.
const maxDepth = 32

// lineage returns the classes that a class is a kind of, the nearest first.
func (p *Precedence) lineage(class string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range maxDepth {
			if class = p.parent(class); class == "" || !yield(class) {
				return
			}
		}
	}
}

// below reports whether a class is a kind of another, and not the same.
func (p *Precedence) below(class, other string) bool {
	for above := range p.lineage(class) {
		if above == other {
			return true
		}
	}
	return false
}

// Observes reports whether a source sees things, and does not only list them.
func (p *Precedence) Observes(source string) bool {
	return slices.Contains(p.data.Observers, kindOf(source))
}

// hasLifecycle reports whether things of a class are ordered, used and disposed of.
func (p *Precedence) hasLifecycle(class string) bool {
	for above := range p.lineage(class) {
		if slices.Contains(p.data.WithoutLifecycle, above) {
			return false
		}
	}
	return !slices.Contains(p.data.WithoutLifecycle, class)
}

func kindOf(source string) string {
	sourceType, _, _ := strings.Cut(source, ":")
	return sourceType
}
