package smbios

import "fmt"

// BIOS is the firmware, type 0 (SMBIOS 3.7 §7.1).
type BIOS struct {
	Vendor      string
	Version     string
	ReleaseDate string // as in the table
	Release     string // "major.minor"; empty if the firmware has no such number
}

// BIOS returns the table's firmware.
func (t *Table) BIOS() (BIOS, bool) {
	s, ok := t.first(typeBIOS)
	if !ok {
		return BIOS{}, false
	}
	b := BIOS{Vendor: s.text(0x04), Version: s.text(0x05), ReleaseDate: s.text(0x08)}
	major, minor := s.byte(0x14), s.byte(0x15)
	if s.has(0x16) && major != 0xFF && minor != 0xFF {
		b.Release = fmt.Sprintf("%d.%d", major, minor)
	}
	return b, true
}
