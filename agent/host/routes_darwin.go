package host

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// interfaceRoutes are the default routes of an interface.
type interfaceRoutes struct {
	gateways []netip.Addr
	metric   uint32
}

// routeTable returns the kernel's routes (route(4)). The neighbors are routes to one machine.
func routeTable() ([]*route.RouteMessage, error) {
	rib, err := route.FetchRIB(unix.AF_UNSPEC, route.RIBTypeRoute, 0)
	if err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	messages, err := route.ParseRIB(route.RIBTypeRoute, rib)
	if err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	var routes []*route.RouteMessage
	for _, m := range messages {
		if r, ok := m.(*route.RouteMessage); ok && len(r.Addrs) > unix.RTAX_NETMASK && r.Flags&unix.RTF_UP != 0 {
			routes = append(routes, r)
		}
	}
	return routes, nil
}

// defaultRoutes returns the default routes by the index of the interface. macOS uses a route that
// is bound to its interface only for programs that ask for it.
func defaultRoutes() (map[int]interfaceRoutes, error) {
	routes, err := routeTable()
	byInterface := map[int]interfaceRoutes{}
	for _, r := range routes {
		to, gateway := routeAddress(r.Addrs[unix.RTAX_DST]), routeAddress(r.Addrs[unix.RTAX_GATEWAY])
		mask := routeAddress(r.Addrs[unix.RTAX_NETMASK])
		if !to.IsUnspecified() || mask.IsValid() && !mask.IsUnspecified() || !gateway.IsValid() {
			continue
		}
		known, found := byInterface[r.Index]
		metric := uint32(0)
		if r.Flags&unix.RTF_IFSCOPE != 0 {
			metric = 1
		}
		if !found || metric < known.metric {
			known.metric = metric
		}
		known.gateways = append(known.gateways, gateway)
		byInterface[r.Index] = known
	}
	return byInterface, err
}

// routeAddress returns the zero address for one of another family. It drops the zone, which is the
// interface.
func routeAddress(a route.Addr) netip.Addr {
	switch a := a.(type) {
	case *route.Inet4Addr:
		return netip.AddrFrom4(a.IP)
	case *route.Inet6Addr:
		return netip.AddrFrom16(a.IP)
	default:
		return netip.Addr{}
	}
}

func neighbors() ([]Neighbor, error) {
	routes, err := routeTable()
	var found []Neighbor
	for _, r := range routes {
		at, ok := r.Addrs[unix.RTAX_GATEWAY].(*route.LinkAddr)
		to := routeAddress(r.Addrs[unix.RTAX_DST])
		if r.Flags&unix.RTF_LLINFO != 0 && ok && len(at.Addr) == 6 && to.IsValid() {
			found = append(found, Neighbor{Index: r.Index, Address: to, MAC: net.HardwareAddr(at.Addr).String()})
		}
	}
	return found, err
}
