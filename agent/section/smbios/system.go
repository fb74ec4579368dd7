package smbios

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
)

// System is the machine as a product, type 1 (SMBIOS 3.7 §7.2).
type System struct {
	Manufacturer string
	ProductName  string
	Version      string
	SerialNumber string
	UUID         string // RFC 4122 text, lower case; empty if not set
	SKUNumber    string
	Family       string
}

// System returns the table's machine.
func (t *Table) System() (System, bool) {
	s, ok := t.first(typeSystem)
	if !ok {
		return System{}, false
	}
	system := System{
		Manufacturer: s.text(0x04),
		ProductName:  s.text(0x05),
		Version:      s.text(0x06),
		SerialNumber: s.text(0x07),
		SKUNumber:    s.text(0x19),
		Family:       s.text(0x1A),
	}
	if s.has(0x18) {
		system.UUID = uuidText([16]byte(s.formatted[0x08:0x18]), t.Version.AtLeast(2, 6))
	}
	return system, true
}

// uuidText formats a UUID. Since SMBIOS 2.6 its first three fields are little-endian (§7.2.1).
// Before, the byte order was undefined, and Linux reads them big-endian. All ones means that there
// is no UUID, all zeros that it is not set.
func uuidText(u [16]byte, littleEndian bool) string {
	if bytes.Count(u[:], []byte{0x00}) == len(u) || bytes.Count(u[:], []byte{0xFF}) == len(u) {
		return ""
	}
	if littleEndian {
		slices.Reverse(u[0:4])
		slices.Reverse(u[4:6])
		slices.Reverse(u[6:8])
	}
	var text [36]byte
	hex.Encode(text[0:8], u[0:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:36], u[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// CanonicalUUID returns a UUID in the form that Parse returns: lower case, and "" if not set.
func CanonicalUUID(text string) string {
	text = strings.ToLower(text)
	if strings.Trim(text, "0-") == "" || strings.Trim(text, "f-") == "" {
		return ""
	}
	return text
}
