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

// neighbors remembers the hardware addresses of the gateways. The kernel forgets a neighbor that it has not talked to
// for a while; without memory, its address would come and go, and each time be a change of the inventory. What is
// remembered holds as long as the interface has the gateway: no longer than the agent runs, for it stands in no file.
type neighbors struct {
	mu   sync.Mutex // a collector that missed its deadline may still be running
	macs map[neighbor]string
}

// gatewayMACs gives the hardware addresses of the gateways by interface, sorted: as the neighbor table has them now,
// else as it had them last.
func (n *neighbors) gatewayMACs(h *host.Host, gateways map[string][]string) map[string][]string {
	now := parseARP(readTable(h, "/proc/net/arp"))
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

// arpComplete says that a neighbor has answered, or that its address was set by hand (Linux include/uapi/linux/if_arp.h,
// ATF_COM, ATF_PERM with it).
const arpComplete = 0x2

// parseARP reads /proc/net/arp: address, type of hardware, flags, hardware address, mask, interface (proc_net(5)). It
// has the neighbors of IPv4 only.
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
