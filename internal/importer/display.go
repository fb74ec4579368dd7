package importer

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/musterhq/muster/internal/edid"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// displays reads the monitors from their EDID if the file has it, else from its other fields. A
// monitor with only a name becomes a component instead of an item.
func (m *machine) displays() []entry {
	var items []entry
	count := map[string]int{}
	key := func(d *inventoryv1.Display) string {
		parts := []string{d.ManufacturerPnp, text32(d.ProductCode), text32(d.SerialNumber), d.SerialText}
		return strings.Join(parts, "\x00")
	}
	for _, n := range m.entries("monitors") {
		item := m.display(n)
		if key(item) == key(&inventoryv1.Display{}) {
			m.monitorComponent(n)
			continue
		}
		count[key(item)]++
		items = append(items, entry{item, n})
	}
	for _, e := range items {
		if item, is := e.item.(*inventoryv1.Display); is && count[key(item)] > 1 {
			item.Port = item.Connection
		}
	}
	return items
}

func (m *machine) display(n *node) *inventoryv1.Display {
	connector := n.get("port")
	item := &inventoryv1.Display{Connection: connector, IsInternal: edid.IsPanel(connector)}
	if text := n.get("base64"); text != "" {
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if known, damaged := edid.Item(data); err == nil && damaged == nil {
			known.Connection, known.IsInternal = item.Connection, item.IsInternal
			return known
		}
		m.warnf(n, "the EDID of the monitor is damaged; the other fields are used")
	}
	if maker := n.get("manufacturer"); isPNP(maker) {
		item.ManufacturerPnp = maker
	}
	item.SerialText = n.get("serial")
	item.Model = n.first("name", "caption")
	return item
}

// isPNP reports whether the text is a manufacturer's three-letter PNP id, not its name.
func isPNP(text string) bool {
	return len(text) == 3 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func text32(n *uint32) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(uint64(*n), 10)
}

func (m *machine) monitorComponent(n *node) {
	name := n.first("name", "caption", "description")
	if name == "" {
		m.warnf(n, "a monitor without any field is ignored")
		return
	}
	attributes := inventory.Attributes{}
	set(attributes, "model", name)
	set(attributes, "manufacturer", n.get("manufacturer"))
	m.addComponent(n, inventory.Component{
		Class: "monitor", Key: name, Relationship: "connected_to", Attributes: attributes,
		Identifiers: inventory.RawIdentifiers{Manufacturer: n.get("manufacturer"), Model: name},
	})
}
