package reconcile

import (
	"cmp"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// guestFacts are those of the section virtual_machine that are read here.
type guestFacts struct {
	UUID         string   `json:"uuid"`
	ID           string   `json:"id"`
	Ordinal      *uint64  `json:"ordinal"`
	Name         string   `json:"name"`
	Kind         string   `json:"kind"`
	State        string   `json:"state"`
	MACs         []string `json:"macs"`
	FirmwareUUID string   `json:"firmware_uuid"`
}

// virtualMachines are those that the machine runs or has defined. What runs there without a UUID and a name is in the
// section only: nobody could tell what it is.
func (m machine) virtualMachines() []inventory.Component {
	machines := map[string]int{}
	for _, g := range m.guests {
		machines[g.systemUUID()]++
	}
	var parts []inventory.Component
	for _, g := range m.guests {
		if g.UUID != "" || g.ID != "" {
			parts = append(parts, m.virtualMachine(g, machines[g.systemUUID()] == 1))
		}
	}
	return parts
}

// virtualMachine has the identifiers by which the guest's own agent knows it. A UUID that another guest has here, or that
// is the host's, as guests get it whose license asks for that, tells nothing.
func (m machine) virtualMachine(g guestFacts, alone bool) inventory.Component {
	a := attributes{}
	a.text("name", g.Name)
	a.text("hypervisor", g.Kind)
	ids := inventory.RawIdentifiers{Virtual: true}
	for _, mac := range g.MACs {
		ids.Interfaces = append(ids.Interfaces, inventory.InterfaceID{MAC: mac, Type: "ethernet"})
	}
	if alone && !strings.EqualFold(g.systemUUID(), m.system.UUID) {
		ids.UUID = g.systemUUID()
		a.text("uuid", m.genuine("uuid", g.systemUUID()))
	}
	return inventory.Component{
		Class:        inventory.ClassVirtualMachine,
		Key:          key(g.UUID, g.ID, decimal(g.Ordinal)),
		Attributes:   inventory.Attributes(a),
		Identifiers:  ids,
		Relationship: inventory.RelationshipHostedOn,
		Idle:         g.State == "shut off" || g.State == "saved",
	}
}

// systemUUID is the UUID that the guest sees as its own.
func (g guestFacts) systemUUID() string { return cmp.Or(g.FirmwareUUID, g.UUID) }
