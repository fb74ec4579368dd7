package network

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/musterhq/muster/agent/host"
)

// neighbor is a machine on the link of an interface.
type neighbor struct {
	iface string
	ip    netip.Addr
}

// neighbors keeps the last known hardware addresses of the gateways. The kernel drops a neighbor
// that it has not used for a while; without this cache the address would disappear and return, each
// time as a change of the inventory. An entry lasts as long as the interface has the gateway and
// the agent runs; it is not stored in a file.
type neighbors struct {
	mu   sync.Mutex // a collector that missed its deadline may still be running
	macs map[neighbor]string
}

// gatewayMACs returns the hardware addresses of the gateways by interface, sorted. It uses the
// current neighbor table, else the last known address.
func (n *neighbors) gatewayMACs(h *host.Host, links []*link, gateways map[string][]string) map[string][]string {
	now := parseARP(readTable(h, "/proc/net/arp"))
	addNeighbors(h, links, now)
	n.mu.Lock()
	defer n.mu.Unlock()
	known, byInterface := map[neighbor]string{}, map[string][]string{}
	for iface, addresses := range gateways {
		for _, address := range addresses {
			ip, err := netip.ParseAddr(address)
			if err != nil {
				continue
			}
			at := neighbor{iface, ip}
			mac := now[at]
			if mac == "" {
				mac = n.macs[at]
			}
			if mac != "" {
				known[at] = mac
				byInterface[iface] = append(byInterface[iface], mac)
			}
		}
		slices.Sort(byInterface[iface])
		byInterface[iface] = slices.Compact(byInterface[iface])
	}
	n.macs = known
	return byInterface
}

// arpComplete means that the neighbor has answered or that its address was set by hand (Linux
// include/uapi/linux/if_arp.h, ATF_COM; ATF_PERM is set together with it).
const arpComplete = 0x2

// parseARP reads /proc/net/arp: address, hardware type, flags, hardware address, mask, interface
// (proc_net(5)). The file has IPv4 neighbors only.
func parseARP(table string) map[neighbor]string {
	found := map[neighbor]string{}
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) != 6 {
			continue
		}
		ip, err := netip.ParseAddr(f[0])
		if err != nil {
			continue // the heading
		}
		flags, err := strconv.ParseUint(f[2], 0, 32)
		if err != nil || flags&arpComplete == 0 {
			continue
		}
		if mac, err := net.ParseMAC(f[3]); err == nil && len(mac) == 6 && hardwareAddress(mac.String()) != "" {
			found[neighbor{f[5], ip}] = mac.String()
		}
	}
	return found
}
