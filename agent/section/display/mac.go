package display

import (
	"encoding/hex"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/profiler"
	"github.com/musterhq/muster/internal/edid"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FromProfile returns the displays that a report of system_profiler identifies. The text of older
// systems has no more than their names; such displays are left out.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	var displays []*inventoryv1.Display
	for gpu := range report.All("SPDisplaysDataType") {
		for _, n := range gpu.Nodes("spdisplays_ndrvs") {
			if d := fromNode(&n); d != nil {
				displays = append(displays, d)
			}
		}
	}
	addPorts(displays)
	return profiler.Found(displays, "a display that can be identified")
}

func fromNode(n *profiler.Node) *inventoryv1.Display {
	item := &inventoryv1.Display{}
	data, err := hex.DecodeString(strings.TrimPrefix(n.Text("_spdisplays_edid"), "0x"))
	if err == nil && len(data) > 0 {
		if d, _ := edid.Item(data); d != nil { // a damaged EDID leaves the fields of the report
			item = d
		}
	}
	number := func(field string) uint32 {
		value, err := strconv.ParseUint(strings.TrimPrefix(n.Text(field), "0x"), 16, 32)
		if err != nil {
			return 0
		}
		return uint32(value)
	}
	decimal := func(field string) *uint32 {
		value, err := strconv.ParseUint(n.Text(field), 10, 16)
		if err != nil {
			return nil
		}
		return known(uint32(value))
	}
	if item.EdidBase64 == "" {
		item.ManufacturerPnp = pnpOf(number("_spdisplays_display-vendor-id"))
		item.ProductCode = known(number("_spdisplays_display-product-id"))
		item.SerialNumber = known(number("_spdisplays_display-serial-number"))
		item.SerialText = n.Text("spdisplays_display-serial-number")
		item.Model = n.Name
		item.Week, item.Year = decimal("_spdisplays_display-week"), decimal("_spdisplays_display-year")
		item.NativeResolution = strings.ReplaceAll(n.Text("_spdisplays_pixels"), " ", "")
	}
	if item.ManufacturerPnp == "" && item.SerialText == "" {
		return nil
	}
	switch connection := strings.TrimPrefix(n.Text("spdisplays_connection_type"), "spdisplays_"); connection {
	case "internal":
		item.IsInternal = true
	default:
		item.Connection = connection
	}
	return item
}

// pnpOf decodes a manufacturer's number: three letters of five bits (VESA E-EDID 1.4 §3.4.1).
func pnpOf(code uint32) string {
	letters := []byte{byte(code >> 10 & 31), byte(code >> 5 & 31), byte(code & 31)}
	for i, letter := range letters {
		if letter < 1 || letter > 26 {
			return ""
		}
		letters[i] = 'A' - 1 + letter
	}
	return string(letters)
}

func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}
