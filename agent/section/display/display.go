// Package display collects the attached displays from their EDIDs. It never reads what they show.
// Start reading at collect.
package display

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/profiler"
	"github.com/musterhq/muster/internal/edid"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section display.
func Collector() section.Collector {
	return section.Collector{Name: "display", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return profiler.Ask(ctx, h, host.DisplaysProfile, FromProfile)
	}
	connectors, err := h.Connectors()
	failed := []error{err}
	var displays []*inventoryv1.Display
	for _, c := range connectors {
		if len(c.EDID) == 0 { // the display has no EDID
			continue
		}
		d, err := edid.Item(c.EDID)
		if err != nil {
			failed = append(failed, fmt.Errorf("display on %s: %w", c.Name, err))
		}
		if d == nil {
			continue
		}
		d.Connection = c.Name
		d.IsInternal = edid.IsPanel(c.Name)
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
	d, err := edid.Item(data)
	if d == nil {
		return nil, err
	}
	return []proto.Message{d}, err
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
