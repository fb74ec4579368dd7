package identify

import (
	"slices"
	"strings"
	"unicode"
)

// fold returns a value in the form that is compared: lower case, single spaces, trimmed. Control
// characters count as spaces.
func fold(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(strings.ToValidUTF8(s, "")), isBlank), " ")
}

func isBlank(c rune) bool {
	return unicode.IsSpace(c) || unicode.IsControl(c) || c == '\ufeff' || c == '\u200b'
}

// words returns the words of letters and digits of a value, folded.
func words(s string) []string {
	return strings.FieldsFunc(fold(s), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// makers is the data that unifies the names of manufacturers.
type makers struct {
	Endings         []string          `json:"endings"`           // words after a name that identify nothing
	Aliases         map[string]string `json:"aliases"`           // names without spaces and endings
	SerialOnChassis []string          `json:"serial_on_chassis"` // manufacturers whose chassis has the system's serial number

	endings map[string]bool
}

func (m *makers) compile() *makers {
	m.endings = map[string]bool{}
	for _, ending := range m.Endings {
		m.endings[ending] = true
	}
	return m
}

// scope returns a manufacturer in its one form: letters and digits, without legal forms. It is ""
// for a placeholder.
func (r *Rules) scope(manufacturer string) string {
	if r.rejectPattern("manufacturer", fold(manufacturer)) != "" {
		return ""
	}
	parts := words(manufacturer)
	for len(parts) > 1 && r.makers.endings[parts[len(parts)-1]] {
		parts = parts[:len(parts)-1]
	}
	name := strings.Join(parts, "")
	if r.rejectPattern("manufacturer", name) != "" {
		return ""
	}
	if alias, ok := r.makers.Aliases[name]; ok {
		return alias
	}
	return bound(name, maxScope)
}

func (r *Rules) serialOnChassis(scope string) bool {
	return slices.Contains(r.makers.SerialOnChassis, scope)
}
