package identify

import (
	"slices"
	"strings"
	"unicode"
)

// fold returns a value in the form in which values are compared: lower case, single spaces, none around it. Control
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

// makers says how to tell which names are one manufacturer's.
type makers struct {
	Endings         []string          `json:"endings"`           // words that may stand behind a name and say nothing
	Aliases         map[string]string `json:"aliases"`           // names without spaces and endings
	SerialOnChassis []string          `json:"serial_on_chassis"` // whose chassis have the system's number

	endings map[string]bool
}

func (m *makers) compile() *makers {
	m.endings = map[string]bool{}
	for _, ending := range m.Endings {
		m.endings[ending] = true
	}
	return m
}

// scope returns a manufacturer in one form: letters and digits, without legal forms. It is empty where the name is none.
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
