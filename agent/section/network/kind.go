package network

import (
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// The types of interfaces, as they stand in the item.
const (
	ethernet = "ethernet"
	wifi     = "wifi"
	bridge   = "bridge"
	bond     = "bond"
	tunnel   = "tunnel"
)

// classify tells the type of an interface and what it is built on. A virtual Ethernet interface that says nothing of
// its kind (veth, dummy, ifb, VMware's and VirtualBox's) gets no type: choose decides by its routes.
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
	case "macvtap", "ipvtap": // a guest's
	case "wwan", "bluetooth":
		l.item.Type = kind
	default:
		l.item.Type = l.byHardware(attribute("tun_flags"))
		if l.item.Type == "" {
			l.ports = lower(h, directory) // a team's
		}
	}
}

// byHardware tells the type where the kernel names none.
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

// deviceType finds the line "DEVTYPE=wlan".
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

// lower names the interfaces that another one is built on, by their links lower_NAME.
func lower(h *host.Host, directory string) []string {
	var names []string
	for _, name := range list(h, directory) {
		if below, found := strings.CutPrefix(name, "lower_"); found {
			names = append(names, below)
		}
	}
	return names
}
