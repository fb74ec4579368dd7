package importer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charsetReader decodes the encodings besides UTF-8 that XML may declare: the single-byte ones of
// old agents. It reads ISO 8859-1 as Windows-1252, as the WHATWG Encoding Standard, §4.2, requires.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii":
		return r, nil // the decoder reads it as UTF-8 and rejects invalid bytes
	case "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252":
		data, err := io.ReadAll(r)
		return strings.NewReader(fromWindows1252(data)), err
	default:
		return nil, fmt.Errorf("the encoding %s is not supported; use UTF-8, ISO-8859-1 or Windows-1252", charset)
	}
}

// windows1252 has the characters of the bytes 0x80 to 0x9f; all other bytes equal their Unicode
// code point. The five unassigned bytes are the control characters of that code point (Encoding
// Standard, index-windows-1252).
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

func fromWindows1252(data []byte) string {
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		if c >= 0x80 && c < 0xa0 {
			b.WriteRune(windows1252[c-0x80])
		} else {
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// decodeText returns a text file as UTF-8. The byte order mark, which spreadsheets write, defines
// the encoding. Without one the file is UTF-8 if it is valid UTF-8, else Windows-1252.
func decodeText(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte(byteOrderMark)):
		data = data[len(byteOrderMark):]
		if !utf8.Valid(data) {
			return "", fmt.Errorf("the file has the byte order mark of UTF-8 but is not valid UTF-8")
		}
		return string(data), nil
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return fromUTF16(data[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 })
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return fromUTF16(data[2:], func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 })
	case bytes.IndexByte(data, 0) >= 0:
		return "", fmt.Errorf("byte %d is zero: the file is not text, or is UTF-16 without a byte order mark",
			bytes.IndexByte(data, 0))
	case utf8.Valid(data):
		return string(data), nil
	default:
		return fromWindows1252(data), nil
	}
}

func fromUTF16(data []byte, unit func([]byte) uint16) (string, error) {
	if len(data)%2 != 0 {
		return "", fmt.Errorf("the file ends within a UTF-16 character")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = unit(data[2*i:])
	}
	return string(utf16.Decode(units)), nil
}
