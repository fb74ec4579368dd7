package smbios

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// structure makes a structure of a type and length with some bytes and strings.
func structure(kind, length byte, set map[int]byte, texts ...string) []byte {
	formatted := make([]byte, length)
	formatted[0], formatted[1] = kind, length
	for offset, value := range set {
		formatted[offset] = value
	}
	if len(texts) == 0 {
		texts = []string{""}
	}
	return slices.Concat(formatted, []byte(strings.Join(texts, "\x00")+"\x00\x00"))
}

var endOfTable = structure(typeEndOfTable, 4, nil)

func build(structures ...[]byte) []byte { return slices.Concat(structures...) }

func isPlain(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7F {
			return false
		}
	}
	return utf8.ValidString(s)
}

func mustParse(t *testing.T, data []byte) *Table {
	t.Helper()
	table, err := Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &table
}

func TestMemorySize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		length   byte
		word     uint16
		extended uint32
		want     uint64
		known    bool
	}{
		{"empty slot", 0x15, 0, 0, 0, true},
		{"unknown", 0x15, 0xFFFF, 0, 0, false},
		{"MiB", 0x15, 512, 0, 512 << 20, true},
		{"KiB", 0x15, 0x8000 | 640, 0, 640 << 10, true},
		{"extended", 0x22, 0x7FFF, 65536, 64 << 30, true},
		{"extended, highest bit reserved", 0x22, 0x7FFF, 0x80000000 | 131072, 128 << 30, true},
		{"no room for extended", 0x1B, 0x7FFF, 0, 32767 << 20, true},
	} {
		s := structure(typeMemoryDevice, c.length, nil)
		binary.LittleEndian.PutUint16(s[0x0C:], c.word)
		if c.length >= 0x20 {
			binary.LittleEndian.PutUint32(s[0x1C:], c.extended)
		}
		device := mustParse(t, build(s, endOfTable)).MemoryDevices()[0]
		if device.Size != c.want || device.SizeKnown != c.known {
			t.Errorf("%s: got %d, %v, want %d, %v", c.name, device.Size, device.SizeKnown, c.want, c.known)
		}
	}
}

// TestModernMemory: fields of SMBIOS 3.3 and later, which the captured machines do not have.
func TestModernMemory(t *testing.T) {
	t.Parallel()
	array := structure(typeMemoryArray, 0x17, map[int]byte{2: 0x10, 5: 3, 6: 6})
	other := structure(typeMemoryArray, 0x17, map[int]byte{2: 0x20, 5: 3, 6: 3})
	s := structure(typeMemoryDevice, 0x5C, map[int]byte{
		4: 0x10, 0x0C: 1, 0x0E: 0x0D, 0x10: 1, 0x12: 0x22, 0x15: 0xFF, 0x16: 0xFF, 0x20: 0xFF, 0x21: 0xFF,
	}, "DIMM  ")
	binary.LittleEndian.PutUint32(s[0x54:], 70000)
	binary.LittleEndian.PutUint32(s[0x58:], 66000)
	got := mustParse(t, build(array, other, s, endOfTable)).MemoryDevices()
	want := []MemoryDevice{{
		Locator: "DIMM", Size: 1 << 20, SizeKnown: true, Type: "DDR5", FormFactor: "SODIMM", Speed: 70000,
		ConfiguredSpeed: 66000, ErrorCorrection: "Multi-bit ECC",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProcessor(t *testing.T) {
	t.Parallel()
	many := structure(typeProcessor, 0x30, map[int]byte{
		6: 0xFE, 7: 1, 0x18: 0x41, 0x23: 0xFF, 0x25: 0xFF, 0x28: 0x01, 0x29: 0x01, 0x2A: 0x40, 0x2B: 0x01, 0x2E: 0x80, 0x2F: 0x02,
	}, "Ampere")
	shared := structure(typeProcessor, 0x1A, map[int]byte{6: 0xBE, 7: 1, 0x18: 0x44}, "AMD")
	empty := structure(typeProcessor, 0x1A, map[int]byte{6: 0x02})
	cut := structure(typeProcessor, 0x10, nil)
	got := mustParse(t, build(many, shared, empty, cut, endOfTable)).Processors()
	const noID = "00 00 00 00 00 00 00 00"
	want := []Processor{
		{Manufacturer: "Ampere", Family: "ARMv8", Status: "Populated, Enabled", Running: true, Cores: 320, Threads: 640, ID: noID},
		{Manufacturer: "AMD", Family: "K7", Status: "Populated, Idle", Running: true, ID: noID},
		{Family: "Unknown", Status: "Unpopulated", ID: noID},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUUID(t *testing.T) {
	t.Parallel()
	raw := [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}
	for _, c := range []struct {
		raw    [16]byte
		little bool
		want   string
	}{
		{raw, true, "33221100-5544-7766-8899-aabbccddeeff"},
		{raw, false, "00112233-4455-6677-8899-aabbccddeeff"},
		{[16]byte{}, true, ""},
		{[16]byte(slices.Repeat([]byte{0xFF}, 16)), true, ""},
	} {
		if got := uuidText(c.raw, c.little); got != c.want {
			t.Errorf("uuidText(%x, %v) = %q, want %q", c.raw, c.little, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"03000200-0400-0500-0006-000700080009": "03000200-0400-0500-0006-000700080009",
		"4C4C4544-0039-3010-8048-B7C04F384432": "4c4c4544-0039-3010-8048-b7c04f384432",
		"00000000-0000-0000-0000-000000000000": "",
		"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF": "",
		"":                                     "",
	} {
		if got := CanonicalUUID(text); got != want {
			t.Errorf("CanonicalUUID(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{"To Be Filled By O.E.M.", "To Be Filled By O.E.M."},
		{"padded   ", "padded"},
		{"tab\there", "tab.here"},
		{"B\u00fcro", "B\u00fcro"},
		{"B\xfcro", "B.ro"},
	} {
		system, _ := mustParse(t, build(structure(typeSystem, 0x1B, map[int]byte{4: 2, 5: 3}, "x", c.raw), endOfTable)).System()
		if want := (System{Manufacturer: c.want}); system != want {
			t.Errorf("%q: got %+v, want %+v", c.raw, system, want)
		}
	}
}

// TestVersions: the version of a table that does not declare one, and of a table with an invalid
// one.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		structures []byte
		want       Version
	}{
		{"virtual machine without processors", structure(typeSystem, 0x1B, nil), Version{2, 6}},
		{"very old", structure(typeSystem, 0x19, nil), Version{2, 3}},
		{"old processor", build(structure(typeSystem, 0x1B, nil), structure(typeProcessor, 0x23, nil)), Version{2, 4}},
		{"new processor", build(structure(typeSystem, 0x1B, nil), structure(typeProcessor, 0x2A, nil)), Version{2, 6}},
	} {
		if got := mustParse(t, build(c.structures, endOfTable)).Version; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	table := build(structure(typeSystem, 0x1B, nil), endOfTable)
	for wrong, want := range map[Version]Version{
		{2, 0x1F}: {2, 3}, {2, 0x21}: {2, 3}, {2, 0x33}: {2, 6}, {2, 7}: {2, 7}, {3, 0x33}: {3, 0x33},
	} {
		entryPoint := make([]byte, 0x1F)
		copy(entryPoint, "_SM_")
		entryPoint[6], entryPoint[7] = wrong.Major, wrong.Minor
		ofWindows := []byte{0, wrong.Major, wrong.Minor, 0, byte(len(table)), byte(len(table) >> 8), 0, 0}
		for form, parse := range map[string]func() (Table, error){
			"entry point": func() (Table, error) { return Parse(table, entryPoint) },
			"RSMB":        func() (Table, error) { return Parse(append(ofWindows, table...), nil) },
		} {
			if got, err := parse(); err != nil || got.Version != want {
				t.Errorf("%s with version %v: %v, error %v; want %v", form, wrong, got.Version, err, want)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"nothing":      nil,
		"an end alone": endOfTable,
		"text":         []byte("This is a text file, and no table at all."),
		"a program":    append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 4096)...),
		"zeros":        make([]byte, 4096),
	} {
		if _, err := Parse(data, nil); !errors.Is(err, ErrNoTable) {
			t.Errorf("%s: got %v, want %v", name, err, ErrNoTable)
		}
	}
}

// TestEndWithoutStructure: tables of SMBIOS 2.1 have no end-of-table structure, but an entry point
// with the length.
func TestEndWithoutStructure(t *testing.T) {
	t.Parallel()
	table := structure(typeSystem, 0x1B, nil, "x")
	entryPoint := make([]byte, 0x1F)
	copy(entryPoint, "_SM_")
	entryPoint[6], entryPoint[7] = 2, 1
	binary.LittleEndian.PutUint16(entryPoint[0x16:], uint16(len(table)))
	if got, err := Parse(table, entryPoint); err != nil || got.Version != (Version{2, 1}) {
		t.Errorf("version %v, error %v", got.Version, err)
	}
	if _, err := Parse(table, nil); !errors.Is(err, ErrIncomplete) {
		t.Errorf("without an entry point: %v, want %v", err, ErrIncomplete)
	}
}
