package importer

import (
	"strings"
	"unicode"
)

// cell returns the text of a field without what programs add to keep a spreadsheet from changing
// it: space, control and invisible characters around it, and the formula ="0071". Control
// characters inside are removed, which cleaned reports.
func cell(field string) (text string, cleaned bool) {
	text = strings.TrimFunc(field, isEdge)
	if inner, found := strings.CutPrefix(text, `="`); found && len(inner) > 0 && strings.HasSuffix(inner, `"`) {
		text = strings.TrimFunc(strings.ReplaceAll(inner[:len(inner)-1], `""`, `"`), isEdge)
	}
	if strings.IndexFunc(text, isControl) < 0 {
		return text, false
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, text), true
}

func isEdge(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)
}

// isControl reports whether a character controls a terminal or a transmission. Tabs and line ends
// belong to notes.
func isControl(r rune) bool {
	return unicode.Is(unicode.Cc, r) && r != '\t' && r != '\n' && r != '\r'
}
