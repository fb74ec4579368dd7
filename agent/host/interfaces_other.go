//go:build !linux && !windows

package host

import (
	"fmt"
	"net"
	"net/netip"
)

func interfaces() ([]Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	routes, err := defaultRoutes()
	found := make([]Interface, 0, len(list))
	for _, i := range list {
		found = append(found, Interface{
			Index:    i.Index,
			Name:     i.Name,
			MAC:      i.HardwareAddr.String(),
			MTU:      i.MTU,
			Up:       i.Flags&net.FlagUp != 0,
			Loopback: i.Flags&net.FlagLoopback != 0,
			Tunnel:   i.Flags&net.FlagPointToPoint != 0,
			Gateways: routes[i.Index].gateways,
			Metric:   routes[i.Index].metric,
		})
	}
	return found, err
}

func interfaceAddresses() ([]InterfaceAddress, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var addresses []InterfaceAddress
	for _, i := range list {
		own, err := i.Addrs()
		if err != nil {
			return addresses, fmt.Errorf("addresses of %s: %w", i.Name, err)
		}
		for _, a := range own {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				addresses = append(addresses, InterfaceAddress{Index: i.Index, Prefix: prefix})
			}
		}
	}
	return addresses, nil
}

func linkKinds() (map[string]string, error) {
	return nil, fmt.Errorf("kinds of network interfaces: %w", ErrUnsupported)
}

func permanentMAC(string) (string, error) {
	return "", fmt.Errorf("permanent address: %w", ErrUnsupported)
}
