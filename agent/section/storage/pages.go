package storage

import (
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// unitSerial reads SCSI's unit serial number page: four bytes of header, then the text (SPC-6
// §7.7.19).
func (s source) unitSerial() string {
	var buf [260]byte
	page, err := s.host.ReadInto(s.sys+"device/vpd_pg80", buf[:])
	if err != nil {
		return ""
	}
	return parseUnitSerial(page)
}

func parseUnitSerial(page []byte) string {
	if len(page) < 4 || page[1] != 0x80 {
		return ""
	}
	length := int(page[2])<<8 | int(page[3])
	return strings.Trim(string(page[4:min(4+length, len(page))]), " \x00")
}

// fromATA reads the disk's own identification, which SCSI's fields truncate.
func (s source) fromATA(disk *inventoryv1.Storage) {
	var buf [ataPage + 1]byte
	page, err := s.host.ReadInto(s.sys+"device/vpd_pg89", buf[:])
	if err != nil {
		return
	}
	disk.Model, disk.SerialNumber, disk.FirmwareRevision = parseATA(page)
}

// The ATA information page has 60 bytes of header and then the 256 words of IDENTIFY DEVICE (SAT-5
// §12.4.2).
const (
	ataIdentify = 60
	ataPage     = ataIdentify + 512
)

// parseATA reads the serial number in words 10 to 19, the firmware revision in words 23 to 26, and
// the model in words 27 to 46 (ACS-5 §7.13.6).
func parseATA(page []byte) (model, serial, firmware string) {
	if len(page) < ataPage || page[1] != 0x89 {
		return "", "", ""
	}
	words := page[ataIdentify:]
	return ataString(words, 27, 46), ataString(words, 10, 19), ataString(words, 23, 26)
}

// ataString reads text in which the two characters of each word are swapped (ACS-5 §3.4.9).
func ataString(words []byte, first, last int) string {
	text := make([]byte, 0, 2*(last-first+1))
	for i := 2 * first; i <= 2*last; i += 2 {
		text = append(text, words[i+1], words[i])
	}
	return strings.Trim(string(text), " \x00")
}
