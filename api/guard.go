package api

import "strings"

const (
	// formulaStarts are the characters after which a spreadsheet takes text for a formula (ASVS 5.0 §1.2.10).
	formulaStarts = "=+-@\t\r\x00"
	// cellEnds are those after which one that splits its cells another way than we do begins the next.
	cellEnds = ";,\t\r\n"
)

// guard makes text inert in a spreadsheet: an apostrophe goes before whatever would begin a formula.
func guard(text string) string {
	if !strings.ContainsAny(text, formulaStarts) {
		return text
	}
	var b strings.Builder
	atStart := true
	for i := range len(text) {
		c := text[i]
		if atStart && strings.IndexByte(formulaStarts, c) >= 0 {
			b.WriteByte('\'')
		}
		atStart = strings.IndexByte(cellEnds, c) >= 0
		b.WriteByte(c)
	}
	return b.String()
}
