package reconcile

import (
	"net/netip"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// uplinks are the types of interfaces that software makes over a card, and that have the card's place on its network.
var uplinks = []string{"bridge", "bond", "vlan"}

// networks are those that the machine's interfaces are on: an interface that has an address, a gateway, and the
// gateway's hardware address, without which two networks of the same addresses would be one. Tunnels are no place, and a
// container's network is its host's affair. State plays no part: it is a reading.
func (m machine) networks() []inventory.Component {
	if m.system.ContainerType != "" {
		return nil
	}
	var parts []inventory.Component
	for _, i := range m.interfaces {
		subnet, known := i.subnet()
		if known && len(i.GatewayMACs) > 0 && (!i.IsVirtual || slices.Contains(uplinks, i.Type)) {
			parts = append(parts, network(subnet.String(), slices.Min(i.GatewayMACs)))
		}
	}
	return parts
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

// subnet returns the subnet of an interface: of IPv4 that of its gateway, else the first; else the first of IPv6. It is
// not known where there is no gateway.
func (i interfaceFacts) subnet() (netip.Prefix, bool) {
	var v4, v6 []netip.Prefix
	for _, address := range i.Addresses {
		prefix, err := netip.ParsePrefix(address)
		switch {
		case err != nil || !prefix.Addr().IsGlobalUnicast() || len(i.Gateways) == 0:
		case prefix.Addr().Is4() && prefix.Bits() < 32: // an address alone is no subnet
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
