package network

import (
	"net/netip"
	"path"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const sysNet = "/sys/class/net/"

// The hardware types in /sys/class/net/*/type (Linux include/uapi/linux/if_arp.h).
const (
	arpEthernet   = "1"
	arpInfiniband = "32"
	arpPPP        = "512"
	arpRawIP      = "519" // mobile broadband
	arpTunnel     = "768"
	arpTunnel6    = "769"
	arpLoopback   = "772"
	arpSIT        = "776"
	arpGRE        = "778"
	arpGRE6       = "823"
	arpNone       = "65534" // tun, WireGuard
)

// link is a network interface and the properties by which choose decides about it.
type link struct {
	item     *inventoryv1.NetworkInterface
	index    int
	hardware string // one of the arp constants; empty on systems other than Linux
	up       bool   // administratively up
	loopback bool
	internal bool         // carries no traffic of the machine's own, except by a default route
	ports    []string     // what it is built on: the ports of a bridge, the interface below a VLAN
	gateways []netip.Addr // on systems other than Linux
	metric   uint32       // of the gateways
	physical *bool        // on systems other than Linux, if known
}

// readLink reads an interface from sysfs. It returns nil for the loopback and for an entry that is
// not an interface, such as the file bonding_masters.
func readLink(h *host.Host, name string) *link {
	directory := sysNet + name + "/"
	attribute := func(file string) string { return h.Attribute(directory + file) }
	target, err := h.Readlink(sysNet + name)
	if err != nil {
		return nil
	}
	l := &link{hardware: attribute("type")}
	if l.hardware == arpLoopback {
		return nil
	}
	l.index, _ = strconv.Atoi(attribute("ifindex"))
	flags, _ := strconv.ParseUint(attribute("flags"), 0, 32)
	l.up = flags&iffUp != 0
	l.item = &inventoryv1.NetworkInterface{
		Name:      name,
		Mac:       hardwareAddress(attribute("address")),
		Mtu:       number(attribute("mtu")),
		IsVirtual: proto.Bool(strings.Contains(target, "/virtual/")),
		SpeedMbps: number(attribute("speed")), // -1 or unreadable without a carrier
		Duplex:    known(attribute("duplex")),
		State:     known(attribute("operstate")),
	}
	if driver, err := h.Readlink(directory + "device/driver"); err == nil {
		l.item.Driver = path.Base(driver)
	}
	l.classify(h, directory, attribute)
	return l
}

// iffUp means that the interface is administratively up (netdevice(7)).
const iffUp = 0x1

// linkOf returns a link with the properties that the system reports.
func linkOf(i host.Interface) *link {
	item := &inventoryv1.NetworkInterface{
		Name: i.Name, Mac: hardwareAddress(i.MAC), PermanentMac: hardwareAddress(i.PermanentMAC), Type: types[i.Type],
	}
	if i.MTU > 0 {
		item.Mtu = proto.Uint32(uint32(i.MTU)) //nolint:gosec // positive
	}
	if i.Tunnel {
		item.Type, item.IsVirtual = tunnel, proto.Bool(true)
	} else if i.Hardware != nil {
		item.IsVirtual = proto.Bool(!*i.Hardware)
	}
	if mbps := i.SpeedBits / 1_000_000; mbps > 0 && mbps < 1<<32 && i.Up {
		item.SpeedMbps = proto.Uint32(uint32(mbps))
	}
	for _, server := range i.NameServers {
		item.DnsServers = append(item.DnsServers, server.String())
	}
	item.State = "down"
	if i.Up {
		item.State = "up"
	}
	return &link{
		item: item, index: i.Index, up: i.Up, loopback: i.Loopback,
		gateways: i.Gateways, metric: i.Metric, physical: i.Hardware,
	}
}

// hardwareAddress returns an address in lower case with colons, or "" for an address of zeros.
func hardwareAddress(text string) string {
	text = strings.ToLower(text)
	if strings.Trim(text, "0:") == "" {
		return ""
	}
	return text
}

func number(text string) *uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 1<<32-1 { // SPEED_UNKNOWN, printed unsigned by older kernels
		return nil
	}
	return proto.Uint32(uint32(n))
}

func known(text string) string {
	if text == "unknown" {
		return ""
	}
	return text
}
