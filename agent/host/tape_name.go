package host

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// contentName returns the name of a file's content in a recording. Every system can store it:
// characters that one of them reserves are percent-encoded, and long elements are shortened.
func contentName(name string) string {
	elements := strings.Split(path.Clean("/"+name), "/")
	for i, element := range elements {
		elements[i] = portable(element)
	}
	return contentDir + strings.Join(elements, "/")
}

// maxElement bounds an element of a name, in bytes. Most file systems allow 255.
const maxElement = 200

func portable(element string) string {
	var b strings.Builder
	for i, r := range element {
		last := i+utf8.RuneLen(max(r, 0)) >= len(element)
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(element[i:], "\uFFFD"):
			fmt.Fprintf(&b, "%%%02X", element[i])
		case r < ' ', r == 0x7F, strings.ContainsRune(`<>:"|?*\%`, r), last && (r == '.' || r == ' '),
			i == 0 && reserved(element):
			fmt.Fprintf(&b, "%%%02X", r)
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() <= maxElement {
		return b.String()
	}
	sum := sha256.Sum256([]byte(element))
	return strings.ToValidUTF8(b.String()[:maxElement/2], "") + "%" + hex.EncodeToString(sum[:8])
}

// reserved reports whether Windows takes the name for a device (Microsoft, "Naming Files, Paths,
// and Namespaces").
func reserved(element string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(element), ".")
	switch strings.TrimRight(base, " ") {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == len("COM1") && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT"))
}
