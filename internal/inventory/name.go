package inventory

import (
	"fmt"
	"strings"
	"unicode"
)

// NameProblem returns why people could not read a name or distinguish it from another; "": it is
// valid.
func NameProblem(name string) string {
	if strings.TrimSpace(name) == "" {
		return "a name is more than blanks"
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return fmt.Sprintf("the name holds the character %U, which cannot be seen", r)
		}
	}
	return ""
}
