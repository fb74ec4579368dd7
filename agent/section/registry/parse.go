package registry

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/musterhq/muster/agent/host"
)

// The first lines of the two formats.
const (
	signature5 = "Windows Registry Editor Version 5.00"
	signature4 = "REGEDIT4"
)

// ErrFormat reports that a file is not a registry export.
var ErrFormat = errors.New("not a registry export")

// maxExamples bounds how many damaged entries an error names.
const maxExamples = 3

// Parse returns the keys of an export in the order of the file. It reads both formats, in UTF-16
// and UTF-8; other texts are taken for Windows-1252, because a file does not name its code page. It
// leaves out values that it cannot read; the error names some of them.
func Parse(data []byte) ([]Key, error) {
	p := &parser{rest: decode(data)}
	switch strings.TrimSpace(strings.TrimLeft(p.line(), "\uFEFF")) { // some editors write a second mark
	case signature5:
	case signature4:
		p.ansi = true
	default:
		return nil, ErrFormat
	}
	for p.rest != "" {
		p.next()
	}
	return p.keys, p.err()
}

// decode returns the export as UTF-8.
func decode(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return host.UTF16Text(data[2:])
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return decodeBigEndian(data[2:])
	case len(data) > 1 && data[1] == 0: // no mark, but the first character is ASCII
		return host.UTF16Text(data)
	}
	return decodePlain(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")))
}

func decodePlain(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\uFFFD")
	}
	return string(decoded)
}

func decodeBigEndian(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

type parser struct {
	rest    string
	number  int  // of the line that begins at rest, from 0
	ansi    bool // texts in hexadecimal digits are in a code page
	skip    bool // the file deletes the current key, or it is left out
	keys    []Key
	damaged int
	damage  []error
}

// line removes the first line from rest and returns it without its end.
func (p *parser) line() string {
	line, rest, _ := strings.Cut(p.rest, "\n")
	p.rest = rest
	p.number++
	return strings.TrimSuffix(line, "\r")
}

// next reads a key or a value.
func (p *parser) next() {
	switch p.rest[0] {
	case '[':
		line := strings.TrimSpace(p.line())
		path, deleted := strings.CutPrefix(strings.TrimSuffix(line[1:], "]"), "-")
		p.skip = deleted
		switch {
		case deleted:
		case strings.Count(path, `\`) >= maxDepth:
			p.skip = true
			p.fail(p.number-1, errors.New("too many keys above the key"))
		default:
			p.keys = append(p.keys, Key{Path: shortRoots.Replace(path)})
		}
	case '"', '@':
		start := p.number
		value, err := p.value()
		switch {
		case errors.Is(err, errDeleted), p.skip:
		case err != nil:
			p.fail(start, err)
		case len(p.keys) == 0:
			p.fail(start, errors.New("a value before the first key"))
		default:
			last := &p.keys[len(p.keys)-1]
			last.Values = append(last.Values, value)
		}
	default:
		if line := strings.TrimSpace(p.line()); line != "" && line[0] != ';' {
			p.fail(p.number-1, errors.New("neither a key nor a value"))
		}
	}
}

func (p *parser) fail(number int, err error) {
	p.damaged++
	if len(p.damage) < maxExamples {
		p.damage = append(p.damage, fmt.Errorf("line %d: %w", number+1, err))
	}
}

func (p *parser) err() error {
	if p.damaged == 0 {
		return nil
	}
	return fmt.Errorf("%d entries left out: %w", p.damaged, errors.Join(p.damage...))
}

// errDeleted reports a value that the file deletes.
var errDeleted = errors.New("the value is deleted")

func (p *parser) value() (Value, error) {
	var v Value
	if p.rest[0] == '@' {
		p.rest = p.rest[1:]
	} else {
		name, err := p.quoted()
		if err != nil {
			return v, err
		}
		v.Name = name
	}
	data, ok := strings.CutPrefix(p.rest, "=")
	if !ok {
		p.line()
		return v, errors.New("no value")
	}
	p.rest = data
	if strings.HasPrefix(p.rest, `"`) {
		text, err := p.quoted()
		if err != nil {
			return v, err
		}
		p.line()
		v.RegistryValue = host.TextValue(text)
		return v, nil
	}
	line := p.line()
	for strings.HasSuffix(line, `\`) && strings.HasPrefix(p.rest, " ") {
		line = line[:len(line)-1] + strings.TrimSpace(p.line())
	}
	line = strings.TrimSpace(line)
	if line == "-" {
		return v, errDeleted
	}
	var err error
	v.RegistryValue, err = p.data(line)
	return v, err
}

// quoted reads a text in quotation marks. It may have several lines. A key in it means that its end
// is missing; the key is then read as one.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == '\\' || p.rest[i+1] == '"'):
			i++
			b.WriteByte(p.rest[i])
		case c == '\n' && strings.HasPrefix(p.rest[i+1:], "[HKEY_"):
			p.rest = p.rest[i+1:]
			p.number++
			return "", errors.New("the text has no end")
		default:
			if c == '\n' {
				p.number++
			}
			b.WriteByte(c)
		}
	}
	p.rest = ""
	return "", errors.New("the text has no end")
}

// data reads "dword:0000002a" or "hex(2):25,00".
func (p *parser) data(text string) (host.RegistryValue, error) {
	var v host.RegistryValue
	kind, digits, _ := strings.Cut(text, ":")
	kind = strings.ToLower(kind)
	if kind == "dword" {
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 32)
		if err != nil {
			return v, errors.New("no number")
		}
		return host.DWordValue(uint32(n)), nil
	}
	numbered, ok := strings.CutPrefix(kind, "hex")
	if !ok {
		return v, errors.New("an unknown type")
	}
	v.Type = host.RegBinary
	if numbered != "" {
		n, err := strconv.ParseUint(strings.Trim(numbered, "()"), 16, 32)
		if err != nil {
			return v, errors.New("an unknown type")
		}
		v.Type = uint32(n)
	}
	data, err := hex.DecodeString(strings.NewReplacer(",", "", " ", "", "\t", "").Replace(digits))
	if err != nil {
		return v, errors.New("no hexadecimal digits")
	}
	if p.ansi && (v.Type == host.RegExpand || v.Type == host.RegMultiText || v.Type == host.RegText) {
		data = encodeUTF16(decodePlain(data))
	}
	v.Data = data
	return v, nil
}
