package reconcile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// maxAttribute bounds an attribute in bytes: attributes are indexed.
const maxAttribute = 255

// Sections lists the sections that Observe reads.
func Sections() []string {
	return []string{"system", "os", "network_interface", "storage", "display", "user", "virtual_machine"}
}

// Observe returns what the facts of a machine's sections say of it and of its parts. facts has the items of each
// section, as JSON objects with the names of the wire; their order means nothing. honest reports whether a value of
// an attribute is no placeholder: what it denies is absent from the attributes, and as it stands in the
// identifiers, which are judged elsewhere.
//
// Addresses are not among the attributes: they change by the hour, every change is a version of the CI, and the
// section network_interface has them and their history.
func Observe(facts map[string][]json.RawMessage, honest func(kind, value string) bool) inventory.Observed {
	m := machine{
		system:     first[systemFacts](facts["system"]),
		os:         first[osFacts](facts["os"]),
		interfaces: decode[interfaceFacts](facts["network_interface"]),
		disks:      decode[diskFacts](facts["storage"]),
		displays:   decode[displayFacts](facts["display"]),
		users:      decode[userFacts](facts["user"]),
		guests:     decode[guestFacts](facts["virtual_machine"]),
		honest:     honest,
	}
	return inventory.Observed{
		Class:       m.class(),
		Attributes:  m.attributes(),
		Identifiers: m.identifiers(),
		Components:  m.components(),
	}
}

// machine is what the sections say, read.
type machine struct {
	system     systemFacts
	os         osFacts
	interfaces []interfaceFacts
	disks      []diskFacts
	displays   []displayFacts
	users      []userFacts
	guests     []guestFacts
	honest     func(kind, value string) bool
}

// components are sorted by class and key. Two of one key are one item that was sent twice.
func (m machine) components() []inventory.Component {
	parts := slices.Concat(m.installation(), m.monitors(), m.storageDevices(), m.networks(), m.primaryUser(), m.virtualMachines())
	slices.SortStableFunc(parts, func(a, b inventory.Component) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Key, b.Key))
	})
	return slices.CompactFunc(parts, func(a, b inventory.Component) bool { return a.Class == b.Class && a.Key == b.Key })
}

// decode reads items in the order of their bytes. What cannot be read is unknown: facts were checked before they
// were stored.
func decode[T any](items []json.RawMessage) []T {
	items = slices.SortedFunc(slices.Values(items), func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	list := make([]T, len(items))
	for i, item := range items {
		_ = json.Unmarshal(item, &list[i])
	}
	return list
}

// first reads a section of one item.
func first[T any](items []json.RawMessage) T {
	for _, item := range decode[T](items) {
		return item
	}
	var none T
	return none
}

// attributes are built from what is known.
type attributes inventory.Attributes

func (a attributes) text(name, value string) {
	if value = bound(strings.TrimSpace(value)); value != "" {
		a[name] = value
	}
}

func (a attributes) number(name string, value *uint64) {
	if value != nil {
		a[name] = json.Number(strconv.FormatUint(*value, 10))
	}
}

// genuine returns the value without the spaces around it, "" for a placeholder.
func (m machine) genuine(kind, value string) string {
	value = strings.TrimSpace(value)
	if value == "" || !m.honest(kind, value) {
		return ""
	}
	return value
}

// key names an item by its key fields.
func key(fields ...string) string { return bound(strings.Join(fields, "|")) }

// bound cuts a text between two characters.
func bound(s string) string {
	if len(s) <= maxAttribute {
		return s
	}
	return strings.ToValidUTF8(s[:maxAttribute], "")
}
