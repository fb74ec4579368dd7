package identify

import (
	"strings"
	"unicode"

	"github.com/musterhq/muster/internal/catalog"
)

// fold returns a value in the form that is compared: lower case, single spaces, trimmed.
func fold(s string) string { return spaced(strings.ToLower(s)) }

// spaced returns valid text with single spaces. Control characters count as spaces. Invisible
// format characters, such as a soft hyphen or a mark of direction, do not count at all.
func spaced(s string) string {
	visible := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.FieldsFunc(visible, isBlank), " ")
}

func isBlank(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }

// words returns the words of letters and digits of a value, folded.
func words(s string) []string {
	return strings.FieldsFunc(fold(s), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// scope returns a manufacturer in its one form: letters and digits, without legal forms. It is ""
// for a placeholder.
func (r *Rules) scope(manufacturer string) string {
	if r.rejectPattern("manufacturer", fold(manufacturer)) != "" {
		return ""
	}
	name := catalog.Maker(words(manufacturer))
	if r.rejectPattern("manufacturer", name) != "" {
		return ""
	}
	return bound(name, maxScope)
}

// serialOnChassis reports whether the chassis of a maker repeats the serial number of the system.
func serialOnChassis(maker string) bool { return maker == "dell" }
