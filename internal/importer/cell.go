package importer

import (
	"strings"
	"unicode"
)

// cell returns the text of a field without what programs add to keep a spreadsheet from changing
// it: space, control and invisible characters around it, and the formula ="0071". Control
// characters inside are removed, which cleaned reports. A literal text is a value, even if it looks
// like a word for an unknown one: it was exported with an apostrophe before it.
func cell(field string) (text string, cleaned, literal bool) {
	trimmed := strings.TrimFunc(field, isEdge)
	text = withoutGuards(trimmed)
	literal = text != trimmed && text[0] != trimmed[0] || strings.HasPrefix(text, "'")
	if inner, found := strings.CutPrefix(text, `="`); found && len(inner) > 0 && strings.HasSuffix(inner, `"`) {
		text = strings.TrimFunc(strings.ReplaceAll(inner[:len(inner)-1], `""`, `"`), isEdge)
	}
	if strings.IndexFunc(text, isControl) < 0 {
		return text, false, literal
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, text), true, literal
}

// withoutGuards removes the apostrophes that our own lists have before characters that a
// spreadsheet would take for the beginning of a formula: at the beginning, and behind a character
// that ends a cell in some spreadsheet. See escapeFormula in package api.
func withoutGuards(text string) string {
	if !strings.Contains(text, "'") {
		return text
	}
	var b strings.Builder
	atStart := true
	for i := 0; i < len(text); i++ {
		if atStart && text[i] == '\'' && i+1 < len(text) && strings.IndexByte("=+-@\t\r'", text[i+1]) >= 0 {
			i++
		}
		atStart = strings.IndexByte(";,\t\r\n", text[i]) >= 0
		b.WriteByte(text[i])
	}
	return b.String()
}

func isEdge(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)
}

// isControl reports whether a character controls a terminal or a transmission. Tabs and line ends
// belong to notes.
func isControl(r rune) bool {
	return unicode.Is(unicode.Cc, r) && r != '\t' && r != '\n' && r != '\r'
}
