// Package display collects the attached displays from their EDIDs. It never reads what they show.
// Start reading at collect.
package display

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/edid"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section display.
func Collector() section.Collector {
	return section.Collector{Name: "display", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.Live() && h.System() == "darwin" {
		return collectMac(ctx, h)
	}
	connectors, err := h.Connectors()
	failed := []error{err}
	var displays []*inventoryv1.Display
	for _, c := range connectors {
		if len(c.EDID) == 0 { // the display has no EDID
			continue
		}
		d, err := newItem(c.EDID)
		if err != nil {
			failed = append(failed, fmt.Errorf("display on %s: %w", c.Name, err))
		}
		if d == nil {
			continue
		}
		d.Connection = c.Name
		d.IsInternal = isInternal(c.Name)
		displays = append(displays, d)
	}
	addPorts(displays)
	items := make([]proto.Message, len(displays))
	for i, d := range displays {
		items[i] = d
	}
	return items, errors.Join(failed...)
}

// FromEDID returns the display that a captured EDID describes.
func FromEDID(data []byte) ([]proto.Message, error) {
	d, err := newItem(data)
	if d == nil {
		return nil, err
	}
	return []proto.Message{d}, err
}

// newItem returns both an item and an error for an incomplete EDID, and no item for an invalid one.
func newItem(data []byte) (*inventoryv1.Display, error) {
	d, err := edid.Parse(data)
	if d == (edid.Display{}) {
		return nil, err
	}
	item := &inventoryv1.Display{
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
	}
	return item, err
}

// isInternal recognizes built-in panels by connector types that only they use.
func isInternal(connector string) bool {
	for _, kind := range []string{"eDP", "LVDS", "DSI"} {
		if strings.HasPrefix(connector, kind) {
			return true
		}
	}
	return false
}

// addPorts adds the connector to the key of displays with equal identifiers. Many displays have no
// serial number.
func addPorts(displays []*inventoryv1.Display) {
	type identity struct {
		manufacturer, serialText string
		product, serial          uint32
	}
	of := func(d *inventoryv1.Display) identity {
		return identity{d.GetManufacturerPnp(), d.GetSerialText(), d.GetProductCode(), d.GetSerialNumber()}
	}
	count := map[identity]int{}
	for _, d := range displays {
		count[of(d)]++
	}
	for _, d := range displays {
		if count[of(d)] > 1 {
			d.Port = d.GetConnection()
		}
	}
}

// known returns nil for 0, which means that the display does not report the number.
func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}
