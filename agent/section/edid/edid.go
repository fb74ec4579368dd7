// Package edid reads the identification that a display gives of itself (VESA E-EDID 1.4). It reads bytes, never
// the machine, and is lenient: displays are made with wrong checksums and cables lose blocks.
package edid

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrHeader says that the bytes are no EDID.
var ErrHeader = errors.New("no EDID: its header 00 FF FF FF FF FF FF 00 is missing")

// ErrIncomplete says that the base block is cut off: what was read of it is right, but more belongs to it.
var ErrIncomplete = errors.New("EDID is incomplete")

// Display is what an EDID says. Zero values were not said.
type Display struct {
	Manufacturer string // three letters of the PNP registry
	ProductCode  uint16
	SerialNumber uint32
	Week         uint8  // of manufacture
	Year         uint32 // of manufacture, or of the model where the display says so
	Name         string
	SerialText   string
	Resolution   string // of the preferred timing, e.g. "1920x1080", with an "i" where it is interlaced
	WidthMM      uint32 // of the picture
	HeightMM     uint32
}

// The parts of a base block that are read here (VESA E-EDID 1.4 §3), as offsets.
const (
	blockLength    = 128
	atManufacturer = 8
	atProduct      = 10
	atSerial       = 12
	atWeek         = 16
	atYear         = 17
	identityLength = 18 // up to the year
	atSize         = 21
	atDescriptors  = 54
	endDescriptors = 126
	atExtensions   = 126
)

var header = []byte{0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00}

// Parse reads an EDID. The display is good for use as far as it goes when the error is ErrIncomplete.
func Parse(data []byte) (Display, error) {
	if !bytes.HasPrefix(data, header) {
		return Display{}, ErrHeader
	}
	if len(data) < identityLength {
		return Display{}, fmt.Errorf("%w: %d bytes name no display", ErrIncomplete, len(data))
	}
	d := Display{
		Manufacturer: letters(binary.BigEndian.Uint16(data[atManufacturer:])),
		ProductCode:  binary.LittleEndian.Uint16(data[atProduct:]),
		SerialNumber: binary.LittleEndian.Uint32(data[atSerial:]),
		Week:         week(data[atWeek]),
		Year:         1990 + uint32(data[atYear]),
	}
	if len(data) > atSize+1 && data[atSize] != 0 && data[atSize+1] != 0 { // one of them alone is an aspect ratio
		d.WidthMM, d.HeightMM = 10*uint32(data[atSize]), 10*uint32(data[atSize+1])
	}
	if len(data) >= atDescriptors {
		d.readDescriptors(data[atDescriptors:min(len(data), endDescriptors)])
	}
	if len(data) < blockLength {
		return d, fmt.Errorf("%w: it breaks off after %d of %d bytes", ErrIncomplete, len(data), blockLength)
	}
	d.readExtensions(data)
	return d, nil
}

// letters unpacks the manufacturer: five bits for each letter, of which 1 is A (§3.4.1). The registry has a few
// names with an underscore, which is 31: "MS_".
func letters(packed uint16) string {
	if packed == 0 {
		return ""
	}
	text := []byte{byte(packed >> 10 & 0x1F), byte(packed >> 5 & 0x1F), byte(packed & 0x1F)}
	for i := range text {
		text[i] += 'A' - 1
	}
	return string(text)
}

// week is 0 where the display does not say, and also where the year is that of its model (§3.4.4).
func week(b byte) uint8 {
	const modelYear = 0xFF
	if b == modelYear {
		return 0
	}
	return b
}

// readExtensions looks through the blocks behind the base block for what that one had no room for. Blocks of other
// kinds than CTA's have no descriptors.
func (d *Display) readExtensions(data []byte) {
	const ctaTag, atFirst = 0x02, 2 // CTA-861-H §7.3: offset of the first descriptor, 0 for none
	for n := 1; n <= int(data[atExtensions]) && len(data) >= (n+1)*blockLength; n++ {
		block := data[n*blockLength : (n+1)*blockLength]
		if first := int(block[atFirst]); block[0] == ctaTag && first >= 4 && first < blockLength-1 {
			d.readDescriptors(block[first : blockLength-1])
		}
	}
}
