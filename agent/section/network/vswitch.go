package network

import (
	"slices"

	"github.com/musterhq/muster/agent/host"
)

// The kernel's part of Open vSwitch: the kind of its interfaces, and the name of the one that
// stands for all its bridges. All ports of all bridges are built below it; sysfs does not tell
// which port is in which bridge.
const (
	vswitchKind     = "openvswitch"
	vswitchDatapath = "ovs-system"
)

// markSwitches classifies the interfaces of Open vSwitch. The datapath and the tunnels among its
// ports have random addresses and carry no traffic of the machine's own; they are internal. The
// other interfaces of the kind are the bridges' own ports, by which the machine itself uses a
// bridge.
func markSwitches(h *host.Host, links []*link) {
	ports := datapathPorts(h, links)
	if len(ports) == 0 {
		return
	}
	macs := map[string]bool{}
	for _, l := range links {
		if !slices.Contains(ports, l.item.Name) {
			continue
		}
		if l.item.Type == tunnel {
			l.internal = true
		}
		if !l.item.GetIsVirtual() {
			macs[l.item.Mac] = true
		}
	}
	kinds, err := h.LinkKinds()
	for _, l := range links {
		if !l.plain() || len(l.ports) > 0 || slices.Contains(ports, l.item.Name) {
			continue
		}
		// In a tree the kind is unknown. A bridge has the address of the card among its ports.
		if kinds[l.item.Name] == vswitchKind || err != nil && l.item.Mac != "" && macs[l.item.Mac] {
			l.item.Type, l.ports, l.internal = bridge, ports, !l.up
		}
	}
}

// datapathPorts returns the ports of all bridges, and marks the datapaths.
func datapathPorts(h *host.Host, links []*link) []string {
	var ports []string
	var kinds map[string]string
	for _, l := range links {
		if !l.plain() || len(l.ports) == 0 {
			continue
		}
		if kinds == nil {
			kinds, _ = h.LinkKinds() // in a tree only the name is known
		}
		if l.item.Name == vswitchDatapath || kinds[l.item.Name] == vswitchKind {
			l.internal = true
			ports = append(ports, l.ports...)
		}
	}
	return ports
}

// plain reports whether sysfs has nothing about a virtual interface but that it is Ethernet.
func (l *link) plain() bool {
	return l.hardware == arpEthernet && l.item.GetIsVirtual() && l.item.Type == ""
}
