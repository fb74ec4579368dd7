package network

import (
	"maps"
	"slices"

	"github.com/musterhq/muster/agent/host"
)

// types are the values of the field type by IANA's ifType, for those that are in use.
var types = map[uint32]string{
	6: ethernet, 23: tunnel, 71: wifi, 131: tunnel, 199: "infiniband", 243: "wwan", 244: "wwan",
}

// addOwnGateways adds the gateways that systems other than Linux report with each interface. The
// best interface is the one with the lowest metric.
func addOwnGateways(links []*link, gateways map[string][]string, best string) (map[string][]string, string) {
	all := maps.Clone(gateways)
	var lowest *link
	for _, l := range links {
		for _, gateway := range l.gateways {
			all[l.item.Name] = append(all[l.item.Name], gateway.String())
		}
		if len(l.gateways) == 0 {
			continue
		}
		slices.SortFunc(all[l.item.Name], compareAddresses)
		all[l.item.Name] = slices.Compact(all[l.item.Name])
		if lowest == nil || l.metric < lowest.metric {
			lowest, best = l, l.item.Name
		}
	}
	return all, best
}

// addNeighbors adds the neighbors that systems other than Linux report.
func addNeighbors(h *host.Host, links []*link, known map[neighbor]string) {
	list, _ := h.Neighbors() // the inventory is complete without
	names := map[int]string{}
	for _, l := range links {
		names[l.index] = l.item.Name
	}
	for _, n := range list {
		if mac := hardwareAddress(n.MAC); names[n.Index] != "" && mac != "" {
			known[neighbor{names[n.Index], n.Address}] = mac
		}
	}
}

// connectionKey has a subkey for each network adapter of Windows, and deviceKey for each device.
const (
	connectionKey = `HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}\`
	deviceKey     = `HKLM\SYSTEM\CurrentControlSet\Enum\`
)

// driverOf returns the name of the service that drives an adapter of Windows, which is the name of
// its driver, or "" if it is not known.
func driverOf(h *host.Host, id string) string {
	connection, err := h.RegistryKey(connectionKey + id + `\Connection`)
	if err != nil {
		return ""
	}
	device, err := h.RegistryKey(deviceKey + connection.Text("PnpInstanceID"))
	if err != nil {
		return ""
	}
	return device.Text("Service")
}
