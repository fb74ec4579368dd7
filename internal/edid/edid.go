// Package edid reads a display's EDID (VESA E-EDID 1.4). It reads bytes, never the machine. It
// accepts wrong checksums and missing blocks, because real displays and cables produce them. Start
// reading at Parse.
package edid

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrHeader reports that the bytes are not an EDID.
var ErrHeader = errors.New("not an EDID: the header 00 FF FF FF FF FF FF 00 is missing")

// ErrIncomplete reports that the base block is truncated. The fields that were read are valid.
var ErrIncomplete = errors.New("EDID is incomplete")

// Display is the content of an EDID. A zero value means that the EDID does not have the field.
type Display struct {
	Manufacturer string // three letters of the PNP registry
	ProductCode  uint16
	SerialNumber uint32
	Week         uint8  // of manufacture
	Year         uint32 // of manufacture, or of the model
	Name         string
	SerialText   string
	Resolution   string // of the preferred timing, e.g. "1920x1080", with suffix "i" if interlaced
	WidthMM      uint32 // of the picture
	HeightMM     uint32
}

// Offsets of the fields of a base block that are read here (VESA E-EDID 1.4 §3).
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

// Parse reads an EDID. With ErrIncomplete it returns the fields that it could read.
func Parse(data []byte) (Display, error) {
	if !bytes.HasPrefix(data, header) {
		return Display{}, ErrHeader
	}
	if len(data) < identityLength {
		return Display{}, fmt.Errorf("%w: %d bytes are too short to identify a display", ErrIncomplete, len(data))
	}
	d := Display{
		Manufacturer: letters(binary.BigEndian.Uint16(data[atManufacturer:])),
		ProductCode:  binary.LittleEndian.Uint16(data[atProduct:]),
		SerialNumber: binary.LittleEndian.Uint32(data[atSerial:]),
		Week:         week(data[atWeek]),
		Year:         year(data[atYear]),
	}
	if len(data) > atSize+1 && data[atSize] != 0 && data[atSize+1] != 0 { // one of them alone is an aspect ratio
		d.WidthMM, d.HeightMM = 10*uint32(data[atSize]), 10*uint32(data[atSize+1])
	}
	if len(data) >= atDescriptors {
		d.readDescriptors(data[atDescriptors:min(len(data), endDescriptors)])
	}
	if len(data) < blockLength {
		return d, fmt.Errorf("%w: it ends after %d of %d bytes", ErrIncomplete, len(data), blockLength)
	}
	d.readExtensions(data)
	return d, nil
}

// letters unpacks the manufacturer: five bits per letter, 1 is A (§3.4.1). A few names of the
// registry have an underscore, which is 31: "MS_".
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

// week returns 0 if the display does not report a week, also if the year is that of its model
// (§3.4.4).
func week(b byte) uint8 {
	const modelYear = 0xFF
	if b == modelYear {
		return 0
	}
	return b
}

// year returns 0 if the display does not report a year (§3.4.4).
func year(b byte) uint32 {
	if b == 0 {
		return 0
	}
	return 1990 + uint32(b)
}

// readExtensions reads the descriptors in the blocks after the base block. Only CTA blocks have
// descriptors.
func (d *Display) readExtensions(data []byte) {
	const ctaTag, atFirst = 0x02, 2 // CTA-861-H §7.3: offset of the first descriptor, 0 for none
	for n := 1; n <= int(data[atExtensions]) && len(data) >= (n+1)*blockLength; n++ {
		block := data[n*blockLength : (n+1)*blockLength]
		if first := int(block[atFirst]); block[0] == ctaTag && first >= 4 && first < blockLength-1 {
			d.readDescriptors(block[first : blockLength-1])
		}
	}
}
