package reconcile

import (
	"net/netip"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// uplinks are the types of virtual interfaces over a card that are on the same network as the card.
var uplinks = []string{"bridge", "bond", "vlan"}

// networks returns the networks of the machine's interfaces: those with an address, a gateway and
// the gateway's hardware address, without which two networks with the same addresses would be one.
// Tunnels are not networks, and a container's network belongs to its host. The state of an
// interface is a reading and does not matter.
func (m machine) networks() []inventory.Component {
	if m.system.ContainerType != "" {
		return nil
	}
	var components []inventory.Component
	for _, i := range m.interfaces {
		subnet, known := i.subnet()
		if known && len(i.GatewayMACs) > 0 && (!i.IsVirtual || slices.Contains(uplinks, i.Type)) {
			components = append(components, network(subnet.String(), slices.Min(i.GatewayMACs)))
		}
	}
	return components
}

func network(subnet, gateway string) inventory.Component {
	a := attributes{}
	a.text("name", subnet)
	a.text("subnet", subnet)
	a.text("gateway_mac", gateway)
	return inventory.Component{
		Class:        inventory.ClassNetwork,
		Key:          key(subnet + " via " + gateway),
		Attributes:   inventory.Attributes(a),
		Identifiers:  inventory.RawIdentifiers{Native: []string{"network:" + gateway + "|" + subnet}},
		Relationship: inventory.RelationshipMemberOf,
		Inverse:      true,
	}
}

// subnet returns the subnet of an interface: the IPv4 subnet of its gateway, else the first of
// IPv4, else the first of IPv6. Without a gateway it is unknown.
func (i interfaceFacts) subnet() (netip.Prefix, bool) {
	var v4, v6 []netip.Prefix
	for _, address := range i.Addresses {
		prefix, err := netip.ParsePrefix(address)
		switch {
		case err != nil || !prefix.Addr().IsGlobalUnicast() || len(i.Gateways) == 0:
		case prefix.Addr().Is4() && prefix.Bits() < 32: // a host route is not a subnet
			v4 = append(v4, prefix.Masked())
		case prefix.Addr().Is6() && prefix.Bits() == 64:
			v6 = append(v6, prefix.Masked())
		}
	}
	if at := slices.IndexFunc(v4, i.hasGateway); at >= 0 {
		return v4[at], true
	}
	for _, prefix := range slices.Concat(v4, v6) {
		return prefix, true
	}
	return netip.Prefix{}, false
}

func (i interfaceFacts) hasGateway(subnet netip.Prefix) bool {
	return slices.ContainsFunc(i.Gateways, func(gateway string) bool {
		ip, err := netip.ParseAddr(gateway)
		return err == nil && subnet.Contains(ip)
	})
}
