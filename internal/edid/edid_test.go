package edid

import (
	"bytes"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// base makes a base block with some bytes set, two descriptors and no checksum.
func base(set map[int]byte, descriptors ...string) []byte {
	block := make([]byte, blockLength)
	copy(block, header)
	block[atManufacturer], block[atManufacturer+1] = 0x10, 0xAC // DEL
	block[atProduct], block[atProduct+1] = 0x34, 0x12
	block[atWeek], block[atYear] = 5, 30
	for offset, value := range set {
		block[offset] = value
	}
	for i, d := range descriptors {
		copy(block[atDescriptors+i*descriptorLength:], d)
	}
	return block
}

const (
	named    = "\x00\x00\x00\xFC\x00DELL U2720Q\n "
	serial   = "\x00\x00\x00\xFF\x00 ABC123\n     "
	timing   = "\x04\x74\x00\x30\xF2\x70\x5A\x80\xB0\x58\x8A\x00\x55\x50\x21\x00\x00\x1A" // 3840x2160, 597x336 mm
	interlac = "\x01\x1D\x80\x18\x71\x1C\x16\x20\x58\x2C\x25\x00\xC4\x8E\x21\x00\x00\x9E" // 1920x1080i
)

func TestParse(t *testing.T) {
	t.Parallel()
	plain := Display{Manufacturer: "DEL", ProductCode: 0x1234, Week: 5, Year: 2020}
	with := func(change func(*Display)) Display {
		d := plain
		change(&d)
		return d
	}
	for _, c := range []struct {
		name string
		data []byte
		want Display
		err  error
	}{
		{"plain", base(nil), plain, nil},
		{"name and serial", base(nil, named, serial), with(func(d *Display) { d.Name, d.SerialText = "DELL U2720Q", "ABC123" }), nil},
		{"model year", base(map[int]byte{atWeek: 0xFF}), with(func(d *Display) { d.Week = 0 }), nil},
		{"no week", base(map[int]byte{atWeek: 0}), with(func(d *Display) { d.Week = 0 }), nil},
		{"serial number", base(map[int]byte{atSerial: 1, atSerial + 3: 2}), with(func(d *Display) { d.SerialNumber = 0x02000001 }), nil},
		{"no letters", base(map[int]byte{atManufacturer: 0, atManufacturer + 1: 0}), with(func(d *Display) { d.Manufacturer = "" }), nil},
		{"underscore", base(map[int]byte{atManufacturer: 0x36, atManufacturer + 1: 0x7F}), with(func(d *Display) { d.Manufacturer = "MS_" }), nil},
		{"aspect ratio", base(map[int]byte{atSize: 79}), plain, nil},
		{"size", base(map[int]byte{atSize: 60, atSize + 1: 34}), with(func(d *Display) { d.WidthMM, d.HeightMM = 600, 340 }), nil},
		{"precise size", base(map[int]byte{atSize: 60, atSize + 1: 34}, timing), with(func(d *Display) {
			d.WidthMM, d.HeightMM, d.Resolution = 597, 336, "3840x2160"
		}), nil},
		{"contradicting size", base(map[int]byte{atSize: 52, atSize + 1: 32}, timing), with(func(d *Display) {
			d.WidthMM, d.HeightMM, d.Resolution = 520, 320, "3840x2160"
		}), nil},
		{"first timing is preferred", base(nil, interlac, timing), with(func(d *Display) { d.Resolution = "1920x1080i" }), nil},
		{"cut behind the name", base(nil, named, serial)[:atDescriptors+descriptorLength+9], with(func(d *Display) { d.Name = "DELL U2720Q" }), ErrIncomplete},
		{"cut behind the year", base(nil, named)[:identityLength], plain, ErrIncomplete},
		{"cut before the year", base(nil)[:identityLength-1], Display{}, ErrIncomplete},
		{"no EDID", bytes.Repeat([]byte{0xFF}, blockLength), Display{}, ErrHeader},
		{"nothing", nil, Display{}, ErrHeader},
	} {
		got, err := Parse(c.data)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestExtension(t *testing.T) {
	t.Parallel()
	extension := make([]byte, blockLength)
	copy(extension, "\x02\x03\x04\x00"+serial)
	data := append(base(map[int]byte{atExtensions: 1}, named), extension...)
	if d, err := Parse(data); err != nil || d.SerialText != "ABC123" {
		t.Errorf("serial in an extension: %q, %v", d.SerialText, err)
	}
	// The bytes after the last extension that the base block counts are junk.
	data[atExtensions] = 0
	if d, err := Parse(data); err != nil || d.SerialText != "" {
		t.Errorf("serial behind the last block: %q, %v", d.SerialText, err)
	}
	// If the cable loses the extension, the fields of the base block remain.
	data[atExtensions] = 1
	if d, err := Parse(data[:200]); err != nil || d.Name != "DELL U2720Q" {
		t.Errorf("lost extension: %q, %v", d.Name, err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"ABC\n         ":  "ABC",
		"ABC\x0010HD\n":   "ABC",
		"ASUS VW\xff\xff": "ASUS VW",
		"THIRTEENCHARS":   "THIRTEENCHARS",
		"a\x1b[31m":       "a[31m",
		"caf\xe9 x":       "caf\uFFFD x",
	} {
		if got := text([]byte(raw)); got != want {
			t.Errorf("text(%q) = %q, want %q", raw, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(base(nil, named, serial))
	f.Add(append(base(map[int]byte{atExtensions: 2}, timing), bytes.Repeat([]byte{2, 3, 4, 0}, 64)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if errors.Is(err, ErrHeader) != !bytes.HasPrefix(data, header) {
			t.Errorf("error %v", err)
		}
		if !utf8.ValidString(d.Name) || !utf8.ValidString(d.SerialText) {
			t.Errorf("not UTF-8: %q, %q", d.Name, d.SerialText)
		}
	})
}
