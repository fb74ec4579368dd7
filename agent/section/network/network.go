// Package network collects the section "network_interface": the interfaces by which traffic can
// leave the machine, with their addresses, gateways and name servers. It never sends a packet and
// never queries a name server. Start reading at collect.
//
// It includes every interface with a device (Ethernet, Wi-Fi, USB, mobile, and the paravirtual
// cards of a guest), bridges, bonds and VLANs over one of those, tunnels that are up, and any other
// interface with a default route, such as a container's veth. It leaves out the loopback, the
// kernel's own interfaces (dummy, ifb, nlmon, the tunnels' templates, the datapath of Open
// vSwitch), and interfaces between the machine and its own guests: veth, tap, and the bridges of
// Docker, libvirt and VMware that have no port with a device.
package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
)

// Collector returns the collector of the section network_interface. The collector keeps the
// hardware addresses of the gateways between two runs.
func Collector() section.Collector {
	var known neighbors
	return section.Collector{Name: "network_interface", Collect: known.collect}
}

func (n *neighbors) collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	links, err := linksOf(h)
	if len(links) == 0 {
		return nil, err
	}
	errs := []error{err}
	addresses, err := h.InterfaceAddresses()
	if err != nil && !errors.Is(err, host.ErrUnsupported) {
		errs = append(errs, err)
	}
	if h.IsMac() {
		markOwnTunnels(links, addresses)
	}
	gateways, dflt := gateways(h)
	gateways, dflt = addOwnGateways(links, gateways, dflt)
	macs := n.gatewayMACs(h, links, gateways)
	servers := nameServers(h)

	var items []proto.Message
	for _, l := range choose(links, gateways) {
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		item := l.item
		item.Addresses = lasting(addresses, l.index)
		item.Gateways = gateways[item.Name]
		item.GatewayMacs = macs[item.Name]
		if item.Name == dflt && len(servers) > 0 {
			item.DnsServers = servers
		}
		if !item.GetIsVirtual() && item.PermanentMac == "" {
			if mac, err := h.PermanentMAC(item.Name); err == nil { // many drivers do not know it
				item.PermanentMac = hardwareAddress(mac)
			}
		}
		items = append(items, item)
	}
	return items, errors.Join(errs...)
}

// linksOf returns every interface, from sysfs or, on other systems, from the socket interface.
func linksOf(h *host.Host) ([]*link, error) {
	entries, err := h.ReadDir(sysNet)
	if err == nil {
		links := make([]*link, 0, len(entries))
		for _, entry := range entries {
			if l := readLink(h, entry.Name()); l != nil {
				links = append(links, l)
			}
		}
		markSwitches(h, links)
		return links, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	interfaces, err := h.Interfaces()
	if h.IsMac() {
		err = errors.Join(err, addHardware(h, interfaces))
	}
	links := make([]*link, len(interfaces))
	for i, known := range interfaces {
		links[i] = linkOf(known)
		links[i].item.Driver = driverOf(h, known.ID)
	}
	return links, err
}
