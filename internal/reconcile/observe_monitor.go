package reconcile

import (
	"strconv"

	"github.com/musterhq/muster/internal/inventory"
)

// displayFacts are the facts of the section display that Observe reads.
type displayFacts struct {
	ManufacturerPNP  string  `json:"manufacturer_pnp"`
	ProductCode      *uint64 `json:"product_code"`
	SerialNumber     *uint64 `json:"serial_number"`
	SerialText       string  `json:"serial_text"`
	Port             string  `json:"port"`
	Model            string  `json:"model"`
	Week             *uint64 `json:"week"`
	Year             *uint64 `json:"year"`
	NativeResolution string  `json:"native_resolution"`
	WidthMM          *uint64 `json:"width_mm"`
	HeightMM         *uint64 `json:"height_mm"`
	IsInternal       bool    `json:"is_internal"`
}

// monitors returns the displays that can be moved to another machine: no built-in panels, none that
// a hypervisor emulates, and none that a container sees at its host.
func (m machine) monitors() []inventory.Component {
	if !m.ownHardware() {
		return nil
	}
	var components []inventory.Component
	for _, d := range m.displays {
		if !d.IsInternal && d.key() != key("", "", "", "", "") {
			components = append(components, m.monitor(d))
		}
	}
	return components
}

func (m machine) monitor(d displayFacts) inventory.Component {
	a := attributes{}
	a.text("manufacturer", m.genuine("manufacturer", d.ManufacturerPNP))
	a.text("model", m.genuine("model", d.Model))
	a.text("serial_number", m.genuine("serial_number", m.monitorSerial(d)))
	a.number("product_code", d.ProductCode)
	a.number("manufactured_year", d.Year)
	a.number("manufactured_week", d.Week)
	a.text("native_resolution", d.NativeResolution)
	a.number("width_mm", d.WidthMM)
	a.number("height_mm", d.HeightMM)
	return inventory.Component{
		Class:      inventory.ClassMonitor,
		Key:        d.key(),
		Attributes: inventory.Attributes(a),
		Identifiers: inventory.RawIdentifiers{
			Manufacturer: d.ManufacturerPNP,
			Model:        decimal(d.ProductCode),
			SerialNumber: m.monitorSerial(d),
			UnitNumber:   m.unitNumber(d),
		},
		Relationship: inventory.RelationshipConnectedTo,
	}
}

// monitorSerial returns the text of the label, unless only the number is genuine.
func (m machine) monitorSerial(d displayFacts) string {
	number := decimal(d.SerialNumber)
	if d.SerialText == "" ||
		m.genuine("serial_number", d.SerialText) == "" && m.genuine("serial_number", number) != "" {
		return number
	}
	return d.SerialText
}

// unitNumber returns the number in the header of the EDID if the serial number is the text. Some
// makers print a short text that many units share.
func (m machine) unitNumber(d displayFacts) string {
	number := decimal(d.SerialNumber)
	if number == m.monitorSerial(d) || m.genuine("serial_number", number) == "" {
		return ""
	}
	return number
}

func (d displayFacts) key() string {
	return key(d.ManufacturerPNP, decimal(d.ProductCode), decimal(d.SerialNumber), d.SerialText, d.Port)
}

func decimal(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}
