package edid

import (
	"encoding/base64"
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Item returns the display that an EDID describes. It returns both an item and an error for an
// incomplete EDID, and no item for bytes that identify no display.
func Item(data []byte) (*inventoryv1.Display, error) {
	d, err := Parse(data)
	if d == (Display{}) {
		return nil, err
	}
	return &inventoryv1.Display{
		ManufacturerPnp:  d.Manufacturer,
		ProductCode:      new(uint32(d.ProductCode)),
		SerialNumber:     known(d.SerialNumber),
		SerialText:       d.SerialText,
		Model:            d.Name,
		Week:             known(uint32(d.Week)),
		Year:             known(d.Year),
		NativeResolution: d.Resolution,
		WidthMm:          known(d.WidthMM),
		HeightMm:         known(d.HeightMM),
		EdidBase64:       base64.StdEncoding.EncodeToString(data),
	}, err
}

// known returns nil for 0, which means that the display does not report the number.
func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}

// IsPanel recognizes built-in panels by connector types that only they use.
func IsPanel(connector string) bool {
	for _, kind := range []string{"eDP", "LVDS", "DSI"} {
		if strings.HasPrefix(connector, kind) {
			return true
		}
	}
	return false
}
