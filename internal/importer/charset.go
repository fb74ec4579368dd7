package importer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charsetReader decodes the encodings that XML may declare, besides UTF-8: those of one byte that old agents use. That
// ISO 8859-1 is read as Windows-1252 is what the Encoding Standard of the WHATWG says, §4.2.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii":
		return r, nil // the decoder takes it for UTF-8, and refuses all other bytes
	case "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252":
		data, err := io.ReadAll(r)
		return strings.NewReader(fromWindows1252(data)), err
	default:
		return nil, fmt.Errorf("the encoding %s is not supported; UTF-8, ISO-8859-1 and Windows-1252 are", charset)
	}
}

// windows1252 are the characters of the bytes 0x80 to 0x9f; all others stand where they do in Unicode. The five that
// have none are the controls that Unicode has there (Encoding Standard, index-windows-1252).
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

// decodeText gives a text file as UTF-8. Its encoding is told by the byte order mark, which spreadsheets write; without
// one it is UTF-8 if that is what it can be, else Windows-1252.
func decodeText(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte(byteOrderMark)):
		data = data[len(byteOrderMark):]
		if !utf8.Valid(data) {
			return "", fmt.Errorf("the file says that it is UTF-8, and is not")
		}
		return string(data), nil
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return fromUTF16(data[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 })
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return fromUTF16(data[2:], func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 })
	case bytes.IndexByte(data, 0) >= 0:
		return "", fmt.Errorf("byte %d is zero: no text, or UTF-16 without a byte order mark", bytes.IndexByte(data, 0))
	case utf8.Valid(data):
		return string(data), nil
	default:
		return fromWindows1252(data), nil
	}
}

func fromUTF16(data []byte, unit func([]byte) uint16) (string, error) {
	if len(data)%2 != 0 {
		return "", fmt.Errorf("the file ends within a character of UTF-16")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = unit(data[2*i:])
	}
	return string(utf16.Decode(units)), nil
}
