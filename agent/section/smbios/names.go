package smbios

// names are the texts of an enumeration that starts at 1. A code that the specification does not
// define has no text.
type names []string

func (n names) of(code uint8) string {
	if code == 0 || int(code) > len(n) {
		return ""
	}
	return n[code-1]
}
