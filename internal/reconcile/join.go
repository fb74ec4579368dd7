package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/musterhq/muster/internal/inventory"
)

// Join merges an observation from the sections of an inventory with what else its source reported.
// If both have a value, that of the sections wins.
func Join(sections, also inventory.Observed) inventory.Observed {
	joined := sections
	joined.Partial = sections.Partial || also.Partial
	joined.FromFile = sections.FromFile || also.FromFile
	if joined.Class == "" || joined.Class == inventory.ClassComputer {
		joined.Class = cmp.Or(also.Class, joined.Class)
	}
	joined.Attributes = inventory.Attributes{}
	maps.Copy(joined.Attributes, also.Attributes)
	maps.Copy(joined.Attributes, sections.Attributes)
	joined.Identifiers = joinIdentifiers(sections.Identifiers, also.Identifiers)
	joined.Components = slices.Clone(sections.Components)
	for _, component := range also.Components {
		known := func(c inventory.Component) bool { return c.Class == component.Class && c.Key == component.Key }
		if !slices.ContainsFunc(joined.Components, known) {
			joined.Components = append(joined.Components, component)
		}
	}
	return joined
}

func joinIdentifiers(a, b inventory.RawIdentifiers) inventory.RawIdentifiers {
	a.Manufacturer = cmp.Or(a.Manufacturer, b.Manufacturer)
	a.Model = cmp.Or(a.Model, b.Model)
	a.SerialNumber = cmp.Or(a.SerialNumber, b.SerialNumber)
	a.UUID = cmp.Or(a.UUID, b.UUID)
	a.BoardManufacturer = cmp.Or(a.BoardManufacturer, b.BoardManufacturer)
	a.BoardSerial = cmp.Or(a.BoardSerial, b.BoardSerial)
	a.ChassisManufacturer = cmp.Or(a.ChassisManufacturer, b.ChassisManufacturer)
	a.ChassisSerial = cmp.Or(a.ChassisSerial, b.ChassisSerial)
	a.TPM = cmp.Or(a.TPM, b.TPM)
	a.UnitNumber = cmp.Or(a.UnitNumber, b.UnitNumber)
	a.OSInstallID = cmp.Or(a.OSInstallID, b.OSInstallID)
	a.Hostname = cmp.Or(a.Hostname, b.Hostname)
	a.FQDN = cmp.Or(a.FQDN, b.FQDN)
	a.Container = cmp.Or(a.Container, b.Container)
	a.Virtual = a.Virtual || b.Virtual
	a.Interfaces = slices.Concat(a.Interfaces, b.Interfaces)
	a.Disks = slices.Concat(a.Disks, b.Disks)
	a.Native = slices.Concat(a.Native, b.Native)
	return a
}

// IdentifiersOf maps the attributes that a person or a list declares for a CI to identifiers. It is
// the only such mapping, for all sources. baseClass is the CI's class directly below the root; the
// name of a computer is its host name if it has no other.
func IdentifiersOf(baseClass string, attributes inventory.Attributes) inventory.RawIdentifiers {
	text := func(name string) string {
		value, _ := attributes[name].(string)
		return value
	}
	ids := inventory.RawIdentifiers{
		Manufacturer: text("manufacturer"), Model: text("model"), SerialNumber: text("serial_number"),
		UUID:     text("uuid"),
		Hostname: text("hostname"), FQDN: text("fqdn"), OSInstallID: text("install_id"),
	}
	if ids.Hostname == "" && baseClass == inventory.ClassComputer {
		ids.Hostname = text(inventory.AttributeName)
	}
	for _, mac := range strings.FieldsFunc(text("mac_address"), separatesAddresses) {
		ids.Interfaces = append(ids.Interfaces, inventory.InterfaceID{MAC: mac})
	}
	return ids
}

func separatesAddresses(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;/", r) }

// WithIdentifiers adds the identifiers in the attributes of an observation to those that it has.
func WithIdentifiers(o inventory.Observed, baseClass string) inventory.Observed {
	declared := IdentifiersOf(baseClass, o.Attributes)
	known := map[string]bool{}
	for _, i := range o.Identifiers.Interfaces {
		known[i.MAC] = true
	}
	declared.Interfaces = slices.DeleteFunc(
		declared.Interfaces, func(i inventory.InterfaceID) bool { return known[i.MAC] },
	)
	o.Identifiers = joinIdentifiers(o.Identifiers, declared)
	return o
}
