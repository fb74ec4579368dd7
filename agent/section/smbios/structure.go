package smbios

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// The structure types that are read here (SMBIOS 3.7 §7).
const (
	typeBIOS         = 0
	typeSystem       = 1
	typeBoard        = 2
	typeChassis      = 3
	typeProcessor    = 4
	typeMemoryArray  = 16
	typeMemoryDevice = 17
	typeEndOfTable   = 127
)

// headerLength is the length of type, length and handle, which start every structure (SMBIOS 3.7
// §6.1.2).
const headerLength = 4

// Structure is one structure of the table. A field beyond its end reads as zero.
type Structure struct {
	Type      uint8
	Handle    uint16
	formatted []byte // header included
	strings   []byte // each ends with a zero byte; a truncated string is left out
}

// cut splits the first structure off the bytes. A structure is whole if its strings end with a
// double zero byte. If the formatted area is truncated, cut returns the zero Structure.
func cut(data []byte) (s Structure, rest []byte, whole bool) {
	if len(data) < headerLength {
		return Structure{}, nil, false
	}
	length := int(data[1])
	if length < headerLength || length > len(data) {
		return Structure{}, nil, false
	}
	s = Structure{Type: data[0], Handle: binary.LittleEndian.Uint16(data[2:]), formatted: data[:length]}
	tail := data[length:]
	end := bytes.Index(tail, []byte{0, 0})
	if end < 0 {
		s.strings = tail[:bytes.LastIndexByte(tail, 0)+1]
		return s, nil, false
	}
	s.strings = tail[:end+1]
	return s, tail[end+2:], true
}

// has reports whether the structure is long enough for a field that ends before offset.
func (s Structure) has(offset int) bool { return len(s.formatted) >= offset }

func (s Structure) byte(offset int) uint8 {
	if !s.has(offset + 1) {
		return 0
	}
	return s.formatted[offset]
}

func (s Structure) word(offset int) uint16 {
	if !s.has(offset + 2) {
		return 0
	}
	return binary.LittleEndian.Uint16(s.formatted[offset:])
}

func (s Structure) dword(offset int) uint32 {
	if !s.has(offset + 4) {
		return 0
	}
	return binary.LittleEndian.Uint32(s.formatted[offset:])
}

// text returns the string whose number is at offset. Numbers start at 1; 0 means no string (SMBIOS
// 3.7 §6.1.3). It returns "" for a number that has no string, which is a firmware error.
func (s Structure) text(offset int) string {
	number := s.byte(offset)
	rest := s.strings
	for ; number > 0; number-- {
		end := bytes.IndexByte(rest, 0)
		if end < 0 {
			return ""
		}
		if number == 1 {
			return printable(rest[:end])
		}
		rest = rest[end+1:]
	}
	return ""
}

// printable trims spaces on both sides and replaces control characters and invalid UTF-8 by dots,
// as Linux tools do.
func printable(raw []byte) string {
	text := strings.Trim(string(raw), " ")
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7F {
			return strings.Map(dotted, text)
		}
	}
	return text
}

func dotted(r rune) rune {
	if r < ' ' || r == 0x7F || r == utf8.RuneError || (r >= 0x80 && r < 0xA0) {
		return '.'
	}
	return r
}
