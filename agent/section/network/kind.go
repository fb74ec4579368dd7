package network

import (
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// The values of the item's field type.
const (
	ethernet = "ethernet"
	wifi     = "wifi"
	bridge   = "bridge"
	bond     = "bond"
	tunnel   = "tunnel"
)

// classify sets the type of an interface and the interfaces it is built on. A virtual Ethernet
// interface without a device type (veth, dummy, ifb, VMware's and VirtualBox's) gets none; choose
// decides by its routes.
func (l *link) classify(h *host.Host, directory string, attribute func(string) string) {
	switch kind := deviceType(attribute("uevent")); kind {
	case "wlan":
		l.item.Type = wifi
	case "bridge":
		l.item.Type = bridge
		l.ports = list(h, directory+"brif")
	case "bond":
		l.item.Type = bond
		l.ports = strings.Fields(attribute("bonding/slaves"))
	case "vlan", "macvlan", "ipvlan":
		l.item.Type = kind
		l.ports = lower(h, directory)
	case "wireguard", "vxlan", "geneve", "gtp", "ppp":
		l.item.Type = tunnel
	case "macvtap", "ipvtap": // belongs to a guest
	case "wwan", "bluetooth":
		l.item.Type = kind
	default:
		l.item.Type = l.byHardware(attribute("tun_flags"))
		if l.item.Type == "" {
			l.ports = lower(h, directory) // of a team device
		}
	}
}

// byHardware returns the type of an interface for which the kernel reports no device type.
func (l *link) byHardware(tunFlags string) string {
	switch l.hardware {
	case arpEthernet:
		if l.item.GetIsVirtual() {
			return ""
		}
		return ethernet
	case arpInfiniband:
		return "infiniband"
	case arpRawIP:
		return "wwan"
	case arpPPP, arpTunnel, arpTunnel6, arpSIT, arpGRE, arpGRE6:
		return tunnel
	case arpNone:
		if flags, err := strconv.ParseUint(tunFlags, 0, 16); err == nil && flags&iffTap != 0 {
			return ""
		}
		return tunnel
	default:
		return ""
	}
}

// iffTap marks a tun device that carries Ethernet frames (Linux include/uapi/linux/if_tun.h).
const iffTap = 0x2

// deviceType returns the value of the line "DEVTYPE=wlan".
func deviceType(uevent string) string {
	for line := range strings.Lines(uevent) {
		if value, found := strings.CutPrefix(line, "DEVTYPE="); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func list(h *host.Host, directory string) []string {
	entries, err := h.ReadDir(directory)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}

// lower returns the names of the interfaces that an interface is built on, from its links
// lower_NAME.
func lower(h *host.Host, directory string) []string {
	var names []string
	for _, name := range list(h, directory) {
		if below, found := strings.CutPrefix(name, "lower_"); found {
			names = append(names, below)
		}
	}
	return names
}
