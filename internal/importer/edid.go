package importer

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// edidHeader begins every EDID (VESA E-EDID 1.4 §3.3).
var edidHeader = []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}

const edidBlock = 128

// fromEDID fills the identifying fields from the first block. It returns false if the data is not
// an EDID.
func fromEDID(item *inventoryv1.Display, data []byte) bool {
	if len(data) < edidBlock || !bytes.HasPrefix(data, edidHeader) {
		return false
	}
	var sum byte
	for _, b := range data[:edidBlock] {
		sum += b
	}
	if sum != 0 {
		return false
	}
	item.ManufacturerPnp = pnpID(binary.BigEndian.Uint16(data[8:]))
	item.ProductCode = proto.Uint32(uint32(binary.LittleEndian.Uint16(data[10:])))
	if serial := binary.LittleEndian.Uint32(data[12:]); serial != 0 {
		item.SerialNumber = proto.Uint32(serial)
	}
	manufactured(item, data[16], data[17])
	for offset := 54; offset <= 108; offset += 18 { // four descriptors, §3.10
		switch text := descriptorText(data[offset : offset+18]); data[offset+3] {
		case 0xff:
			item.SerialText = text
		case 0xfc:
			item.Model = text
		}
	}
	item.EdidBase64 = base64.StdEncoding.EncodeToString(data)
	return true
}

// pnpID decodes three letters of five bits each; A is 1 (§3.4.1).
func pnpID(packed uint16) string {
	var letters [3]byte
	for i := range letters {
		letters[i] = 'A' - 1 + byte(packed>>(10-5*i)&31)
	}
	if id := string(letters[:]); isPNP(id) {
		return id
	}
	return ""
}

// manufactured reads week and year (§3.4.4). Week 255 means that the year is the model year.
func manufactured(item *inventoryv1.Display, week, year byte) {
	if week > 0 && week <= 54 {
		item.Week = proto.Uint32(uint32(week))
	}
	if year > 0 {
		item.Year = proto.Uint32(1990 + uint32(year))
	}
}

// descriptorText reads the text of a display descriptor. A descriptor that begins with a pixel
// clock is a timing and has no text. A line feed ends the text (§3.10.3).
func descriptorText(descriptor []byte) string {
	if !bytes.HasPrefix(descriptor, []byte{0, 0, 0}) {
		return ""
	}
	text, _, _ := bytes.Cut(descriptor[5:], []byte{'\n'})
	return strings.TrimSpace(fromWindows1252(text))
}
