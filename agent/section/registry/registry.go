// Package registry reads registry exports of Windows (.reg files). It returns keys and values as
// the registry has them and does not know what they mean. Start reading at Parse.
package registry

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Type is the type of a value (Microsoft, "Registry value types").
type Type uint32

// The types whose data this package interprets.
const (
	String       Type = 1  // REG_SZ
	ExpandString Type = 2  // REG_EXPAND_SZ
	Binary       Type = 3  // REG_BINARY
	DWord        Type = 4  // REG_DWORD
	DWordBig     Type = 5  // REG_DWORD_BIG_ENDIAN
	MultiString  Type = 7  // REG_MULTI_SZ
	QWord        Type = 11 // REG_QWORD
)

// Key is a key with its own values. Its subkeys are keys of their own.
type Key struct {
	Path   string // with backslashes, e.g. `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft`
	Values []Value
}

// Value is a value of a key.
type Value struct {
	Name string // empty: the default value
	Type Type
	Data []byte // as in the registry; texts are UTF-16, little-endian, and end with a zero
}

// Value returns the value with the name, which is case-insensitive.
func (k *Key) Value(name string) (Value, bool) {
	for _, v := range k.Values {
		if strings.EqualFold(v.Name, name) {
			return v, true
		}
	}
	return Value{}, false
}

// Text returns the text of the named value, or "" if the key has no such text.
func (k *Key) Text(name string) string {
	v, _ := k.Value(name)
	return v.Text()
}

// Integer returns the number of the named value.
func (k *Key) Integer(name string) (uint64, bool) {
	v, _ := k.Value(name)
	return v.Integer()
}

// Text returns the value's text up to the first zero, or "" if the value is not a text. Variables
// in it are not expanded.
func (v Value) Text() string {
	if v.Type != String && v.Type != ExpandString {
		return ""
	}
	text, _, _ := strings.Cut(decodeUTF16(v.Data), "\x00")
	return text
}

// Texts returns the texts of a value with several, up to the first empty one.
func (v Value) Texts() []string {
	if v.Type != MultiString {
		return nil
	}
	var list []string
	for text := range strings.SplitSeq(decodeUTF16(v.Data), "\x00") {
		if text == "" {
			break
		}
		list = append(list, text)
	}
	return list
}

// Integer returns the number of a value that is one.
func (v Value) Integer() (uint64, bool) {
	switch {
	case v.Type == DWord && len(v.Data) == 4:
		return uint64(binary.LittleEndian.Uint32(v.Data)), true
	case v.Type == DWordBig && len(v.Data) == 4:
		return uint64(binary.BigEndian.Uint32(v.Data)), true
	case v.Type == QWord && len(v.Data) == 8:
		return binary.LittleEndian.Uint64(v.Data), true
	default:
		return 0, false
	}
}

func decodeUTF16(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

func encodeUTF16(text string) []byte {
	units := utf16.Encode([]rune(text))
	data := make([]byte, 0, 2*len(units))
	for _, unit := range units {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}
