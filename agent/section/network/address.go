package network

import (
	"net/netip"
	"slices"

	"github.com/musterhq/muster/agent/host"
)

// lasting returns the addresses of an interface that identify it to others, sorted. It leaves out
// temporary addresses, which the kernel changes every day (RFC 8981), deprecated and tentative
// ones, and those that are valid on the link only.
func lasting(addresses []host.InterfaceAddress, index int) []string {
	var prefixes []netip.Prefix
	for _, a := range addresses {
		ip := a.Prefix.Addr()
		if a.Index == index && a.Prefix.IsValid() && !a.Temporary && !a.Tentative && !a.Deprecated &&
			!ip.IsLinkLocalUnicast() && !ip.IsLoopback() {
			prefixes = append(prefixes, a.Prefix)
		}
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	var texts []string
	for _, prefix := range slices.Compact(prefixes) {
		texts = append(texts, prefix.String())
	}
	return texts
}
