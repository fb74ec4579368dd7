package identify

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reject is a set of values that identify nothing. They match as a whole and folded: lower case,
// single spaces.
type Reject struct {
	ID          string   `json:"id"`
	Kinds       []string `json:"kinds"` // of identifiers, or checkedKinds
	Values      []string `json:"values"`
	Letters     []string `json:"letters"`      // values whose spaces and punctuation do not count
	Patterns    []string `json:"patterns"`     // regular expressions for the whole value
	ShorterThan int      `json:"shorter_than"` // in characters; 0: any length is accepted
	Repeats     int      `json:"repeats"`      // the value repeats its first n letters or digits; 0: not checked
}

// rejecter is a compiled Reject.
type rejecter struct {
	Reject

	values  map[string]bool
	letters map[string]bool
	pattern *regexp.Regexp // nil: none
}

// checkedKinds are the kinds of values, beside those of identifiers, that may be rejected.
var checkedKinds = []string{"manufacturer", "model", "asset_tag", "interface_type", "disk_bus"}

// attributeKinds maps attributes to kinds of another name.
var attributeKinds = map[string]string{
	"serial_number": kindNames[kindSerial],
	"board_serial":  kindNames[kindBoard],
	"serial_text":   kindNames[kindSerial],
}

// IsHonest reports whether a value is not a placeholder; see Honest.
func (r *Rules) IsHonest(kind, value string) bool {
	_, ok := r.Honest(kind, value)
	return ok
}

// Honest reports whether a value may be genuine, and otherwise the pattern that rejects it. kind is
// that of an identifier, or an attribute: manufacturer, model, serial_number, uuid, asset_tag. If a
// kind has no patterns, every value but the empty one is honest.
func (r *Rules) Honest(kind, value string) (pattern string, ok bool) {
	if name, known := attributeKinds[kind]; known {
		kind = name
	}
	folded := fold(value)
	switch kind {
	case kindNames[kindUUID]:
		_, pattern = r.checkUUID(folded)
	case kindNames[kindMAC]:
		_, pattern = r.checkMAC(folded)
	case kindNames[kindOS]:
		pattern = r.rejectPattern(kind, hexID(folded))
	default:
		pattern = r.rejectPattern(kind, folded)
	}
	return pattern, pattern == ""
}

const (
	patternEmpty     = "empty"
	patternMalformed = "malformed"
)

// rejectPattern returns the pattern that rejects a folded value; "": the value is honest.
func (r *Rules) rejectPattern(kind, folded string) string {
	if folded == "" {
		return patternEmpty
	}
	for _, reject := range r.reject[kind] {
		if reject.matches(folded) {
			return reject.ID
		}
	}
	return ""
}

func (r *rejecter) matches(folded string) bool {
	switch {
	case r.values[folded]:
	case len(r.letters) > 0 && r.letters[string(alphanumeric(folded))]:
	case r.ShorterThan > 0 && utf8.RuneCountInString(folded) < r.ShorterThan:
	case r.Repeats > 0 && repeats(folded, r.Repeats):
	case r.pattern != nil && r.pattern.MatchString(folded):
	default:
		return false
	}
	return true
}

// repeats reports whether s repeats its first n letters and digits.
func repeats(s string, n int) bool {
	plain := alphanumeric(s)
	if len(plain) <= n {
		return false
	}
	for i := n; i < len(plain); i++ {
		if plain[i] != plain[i-n] {
			return false
		}
	}
	return true
}

func alphanumeric(s string) []rune {
	return slices.DeleteFunc([]rune(s), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

func embeddedRejects() ([]Reject, error) {
	names, err := fs.Glob(files, "rules/reject/*.json")
	if err != nil {
		return nil, err
	}
	var all []Reject
	for _, name := range names {
		var file struct {
			Kinds   []string `json:"kinds"` // of all rejects in the file
			Rejects []Reject `json:"rejects"`
		}
		if err := decodeFile(name, &file); err != nil {
			return nil, err
		}
		for _, reject := range file.Rejects {
			reject.Kinds = file.Kinds
			all = append(all, reject)
		}
	}
	return all, nil
}

// replaceRejects returns base, in which the rejects of over replace those with the same id.
func replaceRejects(base, over []Reject) []Reject {
	merged := slices.Clone(base)
	for _, reject := range over {
		at := slices.IndexFunc(merged, func(r Reject) bool { return r.ID == reject.ID })
		if at < 0 {
			merged = append(merged, reject)
			continue
		}
		if reject.Kinds == nil {
			reject.Kinds = merged[at].Kinds
		}
		merged[at] = reject
	}
	return merged
}

func (r *Rules) compileRejects() error {
	r.reject = map[string][]*rejecter{}
	for _, reject := range r.Rejects {
		compiled, err := reject.compile()
		if err != nil {
			return fmt.Errorf("reject %q: %w", reject.ID, err)
		}
		for _, kind := range reject.Kinds {
			r.reject[kind] = append(r.reject[kind], compiled)
		}
	}
	return nil
}

func (r Reject) compile() (*rejecter, error) {
	if r.ID == "" || len(r.Kinds) == 0 {
		return nil, fmt.Errorf("id and kinds are needed")
	}
	for _, kind := range r.Kinds {
		if !slices.Contains(kindNames[:], kind) && !slices.Contains(checkedKinds, kind) {
			return nil, fmt.Errorf("kind %q is not known", kind)
		}
	}
	if r.ShorterThan < 0 || r.Repeats < 0 {
		return nil, fmt.Errorf("shorter_than, %d, and repeats, %d, must not be negative", r.ShorterThan, r.Repeats)
	}
	compiled := &rejecter{Reject: r, values: map[string]bool{}, letters: map[string]bool{}}
	for _, value := range r.Values {
		compiled.values[fold(value)] = true
	}
	for _, value := range r.Letters {
		compiled.letters[string(alphanumeric(fold(value)))] = true
	}
	for _, pattern := range r.Patterns {
		if _, err := regexp.Compile(pattern); err != nil {
			return nil, err
		}
	}
	if len(r.Patterns) == 0 {
		return compiled, nil
	}
	var err error
	compiled.pattern, err = regexp.Compile(`^(?:(?:` + strings.Join(r.Patterns, `)|(?:`) + `))$`)
	return compiled, err
}
