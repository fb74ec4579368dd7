package network

import (
	"errors"
	"fmt"
	"io/fs"
	"net"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
)

// hardwarePorts lists the devices that have been a network interface of the Mac, also those that
// are not attached.
const hardwarePorts = "/Library/Preferences/SystemConfiguration/NetworkInterfaces.plist"

// maxPorts bounds the list, in bytes.
const maxPorts = 1 << 20

// port is a device in the list.
type port struct {
	Name string     `plist:"BSD Name"`
	Type plist.Text `plist:"SCNetworkInterfaceType"`
	MAC  []byte     `plist:"IOMACAddress"`
}

// portTypes are IANA's ifTypes for the types in the list.
var portTypes = map[plist.Text]uint32{"Ethernet": 6, "IEEE80211": 71, "WWAN": 243}

// addHardware completes the interfaces of a Mac: which are devices, and of what type. The address
// in the list is that of the device; the current one of a Wi-Fi interface may be a random one.
func addHardware(h *host.Host, interfaces []host.Interface) error {
	data, err := h.ReadFile(hardwarePorts, maxPorts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	ports, err := parsePorts(data)
	if err != nil {
		return fmt.Errorf("read %s: %w", hardwarePorts, err)
	}
	for i := range interfaces {
		known := &interfaces[i]
		p, found := ports[known.Name]
		known.Hardware = proto.Bool(found)
		known.Type = portTypes[p.Type]
		if len(p.MAC) == 6 {
			known.PermanentMAC = net.HardwareAddr(p.MAC).String()
		}
	}
	return nil
}

func parsePorts(data []byte) (map[string]port, error) {
	var list struct {
		Ports []port `plist:"Interfaces"`
	}
	if err := plist.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	ports := map[string]port{}
	for _, p := range list.Ports {
		ports[p.Name] = p
	}
	return ports, nil
}

// markOwnTunnels marks the tunnels that macOS has for itself: they are up and have no address that
// is valid beyond the link.
func markOwnTunnels(links []*link, addresses []host.InterfaceAddress) {
	for _, l := range links {
		if l.item.Type == tunnel && len(lasting(addresses, l.index)) == 0 {
			l.internal = true
		}
	}
}
