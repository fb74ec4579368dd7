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

	"github.com/musterhq/muster/internal/inventory"
)

// anyCategory stands for the categories that are not named.
const anyCategory = "*"

//go:embed precedence.json
var defaultPrecedence []byte

// Precedence is the order of sources for each attribute, by their categories: see
// inventory.SourceCategory. A Precedence is immutable, so several goroutines may use it.
type Precedence struct {
	data   precedenceData
	groups map[string]*precedenceGroup // by attribute
	rest   *precedenceGroup            // for the attributes that no group names
	parent func(class string) string
}

// precedenceData is the document. Categories of sources that are not named are those of "*".
type precedenceData struct {
	Version string `json:"version"`
	// StaleAfterDays is the number of days after which a value of a silent source is stale; 0:
	// never, because it was declared.
	StaleAfterDays   map[string]int    `json:"stale_after_days"`
	Groups           []precedenceGroup `json:"groups"`
	Observers        []string          `json:"observers"`         // categories whose observation of a CI means that it is in use
	WithoutLifecycle []string          `json:"without_lifecycle"` // classes without a life-cycle state
	Installation     []string          `json:"installation"`      // attributes of the installation, which move with its disk
	Conflicting      []string          `json:"conflicting"`       // attributes on which a disagreement is a finding
}

// precedenceGroup is the order of sources for a group of attributes, the best first.
type precedenceGroup struct {
	Name       string     `json:"name"`
	Attributes []string   `json:"attributes"` // empty: all that no other group names
	Lasting    bool       `json:"lasting"`    // values do not become stale
	Beginnings []string   `json:"beginnings"` // values that yield to all others, unless the best category has them
	Order      [][]string `json:"order"`      // categories of sources by rank; the group ignores all others
}

// DefaultPrecedence returns the built-in precedence.
func DefaultPrecedence() *Precedence {
	p, err := ParsePrecedence(defaultPrecedence)
	if err != nil {
		panic(err) // the document is embedded, and a test parses it
	}
	return p
}

// ParsePrecedence parses a JSON document in the form of precedence.json. The error names the
// invalid field.
func ParsePrecedence(document []byte) (*Precedence, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	p := &Precedence{groups: map[string]*precedenceGroup{}, parent: func(string) string { return "" }}
	if err := decoder.Decode(&p.data); err != nil {
		return nil, fmt.Errorf("read precedence: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read precedence: unexpected data after the document")
	}
	if err := p.index(); err != nil {
		return nil, fmt.Errorf("read precedence: %w", err)
	}
	return p, nil
}

// WithClasses returns a copy that knows the class tree: parent returns a class's parent, "" for the
// root and for an unknown class. Without it no class is below another.
func (p *Precedence) WithClasses(parent func(class string) string) *Precedence {
	with := *p
	with.parent = parent
	return &with
}

// Version identifies the document.
func (p *Precedence) Version() string { return p.data.Version }

// index validates the document and indexes its groups.
func (p *Precedence) index() error {
	if p.data.Version == "" {
		return errors.New("version is missing")
	}
	for category, days := range p.data.StaleAfterDays {
		if days < 0 {
			return fmt.Errorf("stale_after_days: %s has %d days", category, days)
		}
	}
	for i := range p.data.Groups {
		if err := p.add(&p.data.Groups[i]); err != nil {
			return fmt.Errorf("group %q: %w", p.data.Groups[i].Name, err)
		}
	}
	if p.rest == nil {
		return errors.New("there is no group for the attributes that no other group names")
	}
	return nil
}

func (p *Precedence) add(r *precedenceGroup) error {
	categories := slices.Concat(r.Order...)
	if len(categories) == 0 {
		return errors.New("order is missing")
	}
	for i, category := range categories {
		if category == "" || strings.Contains(category, ":") {
			return fmt.Errorf("order: %q is not a category of sources", category)
		}
		if slices.Contains(categories[:i], category) {
			return fmt.Errorf("order: %s is listed twice", category)
		}
	}
	if len(r.Attributes) == 0 {
		if p.rest != nil {
			return fmt.Errorf("attributes are missing; group %q is already the one without", p.rest.Name)
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

// groupOf returns the group of an attribute.
func (p *Precedence) groupOf(attribute string) *precedenceGroup {
	if r := p.groups[attribute]; r != nil {
		return r
	}
	return p.rest
}

// rankOf returns the position of a value of a category in the order, 0 for the best; false: the
// group ignores the category.
func (r *precedenceGroup) rankOf(category string, value any) (int, bool) {
	rank, known := r.rank(category)
	if text, is := value.(string); is && rank > 0 && slices.Contains(r.Beginnings, text) {
		return len(r.Order), known
	}
	return rank, known
}

func (r *precedenceGroup) rank(category string) (int, bool) {
	others := -1
	for i, categories := range r.Order {
		if slices.Contains(categories, category) {
			return i, true
		}
		if slices.Contains(categories, anyCategory) {
			others = i
		}
	}
	return others, others >= 0
}

// stalenessWindow returns how long a source may be silent before its values are stale; 0: forever.
func (p *Precedence) stalenessWindow(category string) time.Duration {
	days, ok := p.data.StaleAfterDays[category]
	if !ok {
		days = p.data.StaleAfterDays[anyCategory]
	}
	return time.Duration(days) * 24 * time.Hour
}

// maxDepth bounds the ancestors of a class, because people define classes and could make a cycle.
const maxDepth = 32

// lineage returns the ancestors of a class, the nearest first.
func (p *Precedence) lineage(class string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range maxDepth {
			if class = p.parent(class); class == "" || !yield(class) {
				return
			}
		}
	}
}

// below reports whether a class is a descendant of another.
func (p *Precedence) below(class, other string) bool {
	for above := range p.lineage(class) {
		if above == other {
			return true
		}
	}
	return false
}

// Observes reports whether a source observes things, as against declaring them.
func (p *Precedence) Observes(source string) bool {
	return slices.Contains(p.data.Observers, inventory.SourceCategory(source))
}

// hasLifecycle reports whether CIs of a class are ordered, used and disposed of.
func (p *Precedence) hasLifecycle(class string) bool {
	for above := range p.lineage(class) {
		if slices.Contains(p.data.WithoutLifecycle, above) {
			return false
		}
	}
	return !slices.Contains(p.data.WithoutLifecycle, class)
}
