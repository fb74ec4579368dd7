package network

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// maxRoutes bounds the part of a routing table that is read, in bytes. On a router with a full
// Internet table the default route is at the top.
const maxRoutes = 1 << 20

// route is a default route.
type route struct {
	iface   string
	gateway netip.Addr // not valid if the route has no next hop, as on a tunnel
	metric  uint64
}

// gateways returns the gateways of the default routes by interface, sorted, and the interface of
// the best route: that with the lowest metric, IPv4 before IPv6.
func gateways(h *host.Host) (byInterface map[string][]string, best string) {
	byInterface = map[string][]string{}
	routes := parseRoutes(readTable(h, "/proc/net/route"))
	routes = append(routes, parseRoutes6(readTable(h, "/proc/net/ipv6_route"))...)
	lowest := uint64(math.MaxUint64)
	for _, r := range routes {
		if r.metric < lowest {
			best, lowest = r.iface, r.metric
		}
		if r.gateway.IsValid() {
			byInterface[r.iface] = append(byInterface[r.iface], r.gateway.String())
		}
	}
	for name, list := range byInterface {
		slices.SortFunc(list, compareAddresses)
		byInterface[name] = slices.Compact(list)
	}
	return byInterface, best
}

func compareAddresses(a, b string) int {
	first, _ := netip.ParseAddr(a)
	second, _ := netip.ParseAddr(b)
	return cmp.Or(first.Compare(second), strings.Compare(a, b))
}

func readTable(h *host.Host, name string) string {
	f, err := h.Open(name)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	return readUpTo(f, maxRoutes)
}

// The flags of a route (Linux include/uapi/linux/route.h, ipv6_route.h).
const (
	rtfUp      = 0x1
	rtfGateway = 0x2
	rtfReject  = 0x200
)

// parseRoutes reads /proc/net/route: interface, destination, gateway, flags, reference count, use,
// metric, mask. All numbers except the metric are hexadecimal. Addresses are printed as integers in
// the machine's byte order.
func parseRoutes(table string) []route {
	var routes []route
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if err != nil || flags&rtfUp == 0 || flags&rtfReject != 0 {
			continue
		}
		r := route{iface: f[0]}
		r.metric, _ = strconv.ParseUint(f[6], 10, 64)
		if gateway, err := strconv.ParseUint(f[2], 16, 32); err == nil && flags&rtfGateway != 0 {
			var ip [4]byte
			binary.NativeEndian.PutUint32(ip[:], uint32(gateway))
			r.gateway = netip.AddrFrom4(ip)
		}
		routes = append(routes, r)
	}
	return routes
}

// parseRoutes6 reads /proc/net/ipv6_route: destination and its prefix length, source and its prefix
// length, next hop, metric, reference count, use, flags, interface. All numbers are hexadecimal.
func parseRoutes6(table string) []route {
	var routes []route
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || strings.Trim(f[0], "0") != "" || f[1] != "00" {
			continue
		}
		flags, err := strconv.ParseUint(f[8], 16, 32)
		if err != nil || flags&rtfUp == 0 || flags&rtfReject != 0 || f[9] == "lo" {
			continue
		}
		r := route{iface: f[9]}
		r.metric, _ = strconv.ParseUint(f[5], 16, 64)
		if hop, err := hex.DecodeString(f[4]); err == nil && flags&rtfGateway != 0 {
			r.gateway, _ = netip.AddrFromSlice(hop)
		}
		routes = append(routes, r)
	}
	return routes
}
