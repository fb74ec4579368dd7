package host

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Registry reads the registry of Windows. A path begins with `HKLM` or `HKU`; upper and lower case
// are equal. A program of 32 bits reads the same keys as one of 64 bits: the keys of 32-bit
// programs are below `WOW6432Node`.
type Registry interface {
	// Key returns a key with its values, or fs.ErrNotExist if it does not exist.
	Key(path string) (RegistryKey, error)
}

// RegistryKey is a registry key with its values.
type RegistryKey struct {
	SubKeys []string
	Values  map[string]RegistryValue // by name in lower case; the default value has the name ""
	Changed time.Time                // last change of a value or a subkey; zero if unknown
}

// RegistryValue is a value as the registry stores it.
type RegistryValue struct {
	Type uint32
	Data []byte
}

// MarshalText returns the value as a recording has it: the number of its type and its content.
// Texts are readable, so that secrets in them are found.
func (v RegistryValue) MarshalText() ([]byte, error) {
	kind := strconv.FormatUint(uint64(v.Type), 10)
	if v.isText() {
		if text := UTF16Text(v.Data); bytes.Equal(utf16Data(text), v.Data) {
			return []byte(kind + ":" + text), nil
		}
	}
	return []byte(kind + "=" + base64.StdEncoding.EncodeToString(v.Data)), nil
}

// UnmarshalText reads what MarshalText returns. A text without a type is a replaced secret.
func (v *RegistryValue) UnmarshalText(recorded []byte) error {
	text := string(recorded)
	end := strings.IndexAny(text, ":=")
	if end < 0 {
		*v = TextValue(text)
		return nil
	}
	kind, err := strconv.ParseUint(text[:end], 10, 32)
	if err != nil {
		return fmt.Errorf("type of a registry value: %w", err)
	}
	v.Type = uint32(kind)
	if text[end] == ':' {
		v.Data = utf16Data(text[end+1:])
		return nil
	}
	v.Data, err = base64.StdEncoding.DecodeString(text[end+1:])
	return err
}

func (v RegistryValue) isText() bool {
	return v.Type == RegText || v.Type == RegExpand || v.Type == RegMultiText
}

// The types of registry values (Microsoft, "Registry Value Types").
const (
	RegText      = 1 // REG_SZ
	RegExpand    = 2 // REG_EXPAND_SZ: a text with names of environment variables
	RegBinary    = 3
	RegDWord     = 4 // 32 bits, little-endian
	RegDWordBig  = 5
	RegMultiText = 7
	RegQWord     = 11
)

// RegistryKey reads a key of the machine's registry. Every other system has none.
func (h *Host) RegistryKey(path string) (RegistryKey, error) {
	if h.registry != nil {
		return h.registry.Key(path)
	}
	if !h.IsWindows() {
		return RegistryKey{}, fmt.Errorf("registry on %s: %w", h.System(), ErrUnsupported)
	}
	return ask(h, "registry key", path, func() (RegistryKey, error) { return registryKey(path) })
}

// IsWindows reports whether the host runs Windows. A tree does not, because the agent does not read
// the files of the registry.
func (h *Host) IsWindows() bool {
	return h.registry != nil || h.Live() && h.System() == "windows"
}

// WithRegistry returns the host with another registry in place of its own.
func (h *Host) WithRegistry(r Registry) *Host {
	other := *h
	other.registry = r
	return &other
}

// Text returns a text, or the first of several texts, without leading and trailing blanks. It
// returns "" if the key has no such value or the value is not a text.
func (k RegistryKey) Text(name string) string {
	v := k.Values[strings.ToLower(name)]
	if !v.isText() {
		return ""
	}
	text, _, _ := strings.Cut(UTF16Text(v.Data), "\x00")
	return strings.TrimSpace(text)
}

// Texts returns the parts of a value that consists of several texts.
func (k RegistryKey) Texts(name string) []string {
	v := k.Values[strings.ToLower(name)]
	if !v.isText() {
		return nil
	}
	return strings.FieldsFunc(UTF16Text(v.Data), func(r rune) bool { return r == 0 })
}

// Number returns a number of 32 or 64 bits.
func (k RegistryKey) Number(name string) (uint64, bool) {
	v := k.Values[strings.ToLower(name)]
	switch {
	case v.Type == RegDWord && len(v.Data) == 4:
		return uint64(binary.LittleEndian.Uint32(v.Data)), true
	case v.Type == RegDWordBig && len(v.Data) == 4:
		return uint64(binary.BigEndian.Uint32(v.Data)), true
	case v.Type == RegQWord && len(v.Data) == 8:
		return binary.LittleEndian.Uint64(v.Data), true
	default:
		return 0, false
	}
}

// Bytes returns the data of a binary value.
func (k RegistryKey) Bytes(name string) []byte {
	if v := k.Values[strings.ToLower(name)]; v.Type == RegBinary {
		return v.Data
	}
	return nil
}

// UTF16Text decodes little-endian UTF-16. A last odd byte is dropped; invalid surrogates become
// U+FFFD.
func UTF16Text(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// FileTime converts a FILETIME: steps of 100 ns since 1601. It returns the zero time for 0 and for
// times that cannot be right: before Windows existed or after 2100.
func FileTime(ticks uint64) time.Time {
	const epoch = 11_644_473_600 // seconds from 1601 to 1970
	const perSecond = 10_000_000
	seconds := int64(ticks/perSecond) - epoch //nolint:gosec // at most 2⁶⁴/10⁷
	at := time.Unix(seconds, int64(ticks%perSecond)*100).Truncate(time.Second)
	if at.Year() < 1985 || at.Year() > 2100 {
		return time.Time{}
	}
	return at
}

// RegistryTree is a registry in memory. It is not safe for concurrent changes.
type RegistryTree struct {
	keys map[string]*RegistryKey // by path in lower case
}

// NewRegistryTree returns an empty registry.
func NewRegistryTree() *RegistryTree { return &RegistryTree{keys: map[string]*RegistryKey{}} }

// Add adds values to a key, which it makes if it does not exist, with all keys above it.
func (t *RegistryTree) Add(path string, values map[string]RegistryValue) {
	key := t.key(path)
	for name, value := range values {
		key.Values[strings.ToLower(name)] = value
	}
}

func (t *RegistryTree) key(path string) *RegistryKey {
	lower := strings.ToLower(path)
	if key := t.keys[lower]; key != nil {
		return key
	}
	key := &RegistryKey{Values: map[string]RegistryValue{}}
	t.keys[lower] = key
	if end := strings.LastIndexByte(path, '\\'); end > 0 {
		above := t.key(path[:end])
		above.SubKeys = append(above.SubKeys, path[end+1:])
	}
	return key
}

// Key implements Registry.
func (t *RegistryTree) Key(path string) (RegistryKey, error) {
	key := t.keys[strings.ToLower(path)]
	if key == nil {
		return RegistryKey{}, &fs.PathError{Op: "open registry key", Path: path, Err: fs.ErrNotExist}
	}
	copied := *key
	copied.Values = maps.Clone(key.Values)
	return copied, nil
}

// TextValue returns a value of the type REG_SZ.
func TextValue(text string) RegistryValue {
	return RegistryValue{Type: RegText, Data: utf16Data(text + "\x00")}
}

// utf16Data encodes a text as little-endian UTF-16.
func utf16Data(text string) []byte {
	units := utf16.Encode([]rune(text))
	data := make([]byte, 0, 2*len(units))
	for _, unit := range units {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}

// DWordValue returns a value of the type REG_DWORD.
func DWordValue(number uint32) RegistryValue {
	return RegistryValue{Type: RegDWord, Data: binary.LittleEndian.AppendUint32(nil, number)}
}
