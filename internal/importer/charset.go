package importer

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
)

// declare is how a person says which encoding a file has.
const declare = `declare the encoding with the option "encoding", for example windows-1252, windows-1251, gbk or ` +
	`shift_jis; a mapping can declare it too`

const byteOrderMark = "\uFEFF"

// decodeText is decode for formats that have no character with the code 0.
func decodeText(data []byte, declared string) (text string, warnings []string, err error) {
	text, warnings, err = decode(data, declared)
	if zero := strings.IndexByte(text, 0); zero >= 0 {
		return "", nil, fmt.Errorf(
			"byte %d is zero: the file is not text, or has another encoding, such as utf-16le; %s", zero, declare,
		)
	}
	return text, warnings, err
}

// decode returns a file as UTF-8. The byte order mark defines the encoding, else the caller
// declares it. What is neither declared nor UTF-8 is an error: no property of the bytes shows for
// certain which encoding they have. Bytes that the declared encoding does not have become U+FFFD,
// with a warning.
func decode(data []byte, declared string) (text string, warnings []string, err error) {
	from, err := encodingOf(data, declared)
	if err != nil {
		return "", nil, err
	}
	if from != nil {
		return decodeAs(from, data)
	}
	return string(data), nil, checkUTF8(data)
}

// encodingOf returns the encoding of a file, nil if it is not declared. A byte order mark wins.
func encodingOf(data []byte, declared string) (encoding.Encoding, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM), nil
	case bytes.HasPrefix(data, []byte(byteOrderMark)):
		return unicode.UTF8BOM, nil
	case declared == "":
		return nil, nil //nolint:nilnil // not declared
	}
	if known, err := htmlindex.Get(declared); err == nil {
		return known, nil
	}
	if known, err := ianaindex.IANA.Encoding(declared); err == nil && known != nil {
		return known, nil // the code pages of DOS are not in the index for HTML
	}
	return nil, fmt.Errorf("the encoding %s is not known; %s", declared, declare)
}

func decodeAs(from encoding.Encoding, data []byte) (text string, warnings []string, err error) {
	decoded, err := from.NewDecoder().Bytes(data)
	if err != nil {
		return "", nil, fmt.Errorf("decode text: %w", err)
	}
	text = strings.TrimPrefix(string(decoded), byteOrderMark)
	before := bytes.Count(data, []byte("\uFFFD")) // if it is UTF-8
	if count := strings.Count(text, "\uFFFD") - before; count > 0 {
		warnings = append(warnings, fmt.Sprintf("line %d: %d characters are not valid in the declared encoding; "+
			"each was replaced by U+FFFD", lineOf(text, strings.Index(text, "\uFFFD")), count))
	}
	return text, warnings, nil
}

func lineOf(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }

// checkUTF8 rejects other encodings; they would be read with replacement characters.
func checkUTF8(data []byte) error {
	if utf8.Valid(data) {
		return nil
	}
	offset := 0
	for {
		r, size := utf8.DecodeRune(data[offset:])
		if r == utf8.RuneError && size <= 1 {
			at := newLines(string(data)).at(offset)
			return fmt.Errorf("%s: byte 0x%02x is not UTF-8; %s", at, data[offset], declare)
		}
		offset += size
	}
}

// declaration matches the XML declaration with an encoding (XML 1.0 §4.3.3).
var declaration = regexp.MustCompile(`^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// decodeXML is decodeText for XML, which declares its encoding itself.
func decodeXML(data []byte, declared string) (text string, warnings []string, err error) {
	switch found := declaration.FindSubmatch(data[:min(len(data), 1<<10)]); {
	case declared != "":
	case found != nil && !isWide(string(found[1])):
		declared = string(found[1])
	case bytes.HasPrefix(data, []byte("<\x00")): // XML 1.0, appendix F
		declared = "utf-16le"
	case bytes.HasPrefix(data, []byte("\x00<")):
		declared = "utf-16be"
	}
	text, warnings, err = decode(data, declared)
	if err != nil {
		return "", nil, err
	}
	text, replaced := replaceForbidden(text)
	return text, append(warnings, replaced...), nil
}

// isWide reports whether an encoding has no single-byte characters. A declaration that was found by
// its bytes cannot be true then.
func isWide(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "ucs-2") || strings.HasPrefix(name, "utf-32")
}
