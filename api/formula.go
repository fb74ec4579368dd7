package api

import "strings"

const (
	// formulaStarts are the first characters of text that a spreadsheet evaluates (ASVS 5.0
	// §1.2.10).
	formulaStarts = "=+-@\t\r\x00"
	// cellEnds are the characters after which a spreadsheet with other separators begins a new
	// cell.
	cellEnds = ";,\t\r\n"
)

// escapeFormula puts an apostrophe before every character that would begin a formula, and before an
// apostrophe in such a place, so that an import can take the apostrophes away again.
func escapeFormula(text string) string {
	if !strings.ContainsAny(text, formulaStarts+"'") {
		return text
	}
	var b strings.Builder
	atStart := true
	for i := range len(text) {
		c := text[i]
		if atStart && (c == '\'' || strings.IndexByte(formulaStarts, c) >= 0) {
			b.WriteByte('\'')
		}
		atStart = strings.IndexByte(cellEnds, c) >= 0
		b.WriteByte(c)
	}
	return b.String()
}
