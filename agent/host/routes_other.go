//go:build !linux && !windows && !darwin

package host

import (
	"fmt"
	"net/netip"
)

type interfaceRoutes struct {
	gateways []netip.Addr
	metric   uint32
}

func defaultRoutes() (map[int]interfaceRoutes, error) { return nil, nil }

func neighbors() ([]Neighbor, error) {
	return nil, fmt.Errorf("neighbors: %w", ErrUnsupported)
}
