package host

import (
	"fmt"
	"net/netip"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// interfaces is unsupported on Linux, where /sys/class/net has more detail.
func interfaces() ([]Interface, error) {
	return nil, fmt.Errorf("interfaces outside /sys/class/net: %w", ErrUnsupported)
}

// interfaceAddresses uses netlink because package net does not return the flags.
func interfaceAddresses() ([]InterfaceAddress, error) {
	list, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	addresses := make([]InterfaceAddress, 0, len(list))
	for _, a := range list {
		ip, ok := netip.AddrFromSlice(a.IP)
		if !ok {
			continue
		}
		ip = ip.Unmap()
		bits, _ := a.Mask.Size()
		addresses = append(addresses, InterfaceAddress{
			Index:  a.LinkIndex,
			Prefix: netip.PrefixFrom(ip, bits),
			// For an IPv4 address the same bit means "secondary" (rtnetlink(7)).
			Temporary:  ip.Is6() && a.Flags&unix.IFA_F_TEMPORARY != 0,
			Tentative:  a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0,
			Deprecated: a.Flags&unix.IFA_F_DEPRECATED != 0,
		})
	}
	return addresses, nil
}

// neighbors is unsupported on Linux, where /proc/net/arp has them.
func neighbors() ([]Neighbor, error) {
	return nil, fmt.Errorf("neighbors outside /proc/net: %w", ErrUnsupported)
}

func linkKinds() (map[string]string, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list kinds of network interfaces: %w", err)
	}
	kinds := make(map[string]string, len(links))
	for _, link := range links {
		kinds[link.Attrs().Name] = link.Type()
	}
	return kinds, nil
}

func permanentMAC(name string) (string, error) {
	card, err := ethtool.NewEthtool()
	if err != nil {
		return "", fmt.Errorf("ethtool: %w", err)
	}
	defer card.Close()
	mac, err := card.PermAddr(name)
	if err != nil {
		return "", fmt.Errorf("permanent address of %s: %w", name, err)
	}
	return mac, nil
}
