package importer

import (
	"encoding/hex"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// interfaces returns one item per interface. The file has an entry for each address of an
// interface.
func (m *machine) interfaces() []entry {
	var items []entry
	byName := map[string]*inventoryv1.NetworkInterface{}
	failed := false
	for _, n := range m.entries("networks") {
		if isLoopback(n) {
			continue
		}
		item := m.networkInterface(n)
		address, ok := m.addresses(n)
		failed = failed || !ok
		known := byName[item.Name+"\x00"+item.Mac]
		if known == nil {
			known = item
			byName[item.Name+"\x00"+item.Mac] = item
			items = append(items, entry{item, n})
		} else {
			complete(known.ProtoReflect(), item.ProtoReflect())
		}
		known.Addresses = append(known.Addresses, address...)
		if gateway := n.get("ipgateway"); gateway != "" && !slices.Contains(known.Gateways, gateway) {
			known.Gateways = append(known.Gateways, gateway)
		}
	}
	m.resolvers(items)
	for _, e := range items {
		item := e.item.(*inventoryv1.NetworkInterface) //nolint:forcetypeassert // made above
		item.Addresses = sortAddresses(item.Addresses)
	}
	if failed {
		items = append(items, entry{})
	}
	return items
}

func (m *machine) networkInterface(n *node) *inventoryv1.NetworkInterface {
	item := &inventoryv1.NetworkInterface{
		Name:      n.get("description"),
		Type:      interfaceType(n.get("type")),
		IsVirtual: flag(n.get("virtualdev")),
		Driver:    n.get("driver"),
		Mtu:       m.count(n, "mtu"),
		Duplex:    strings.ToLower(n.get("duplex")),
		State:     strings.ToLower(n.get("status")),
		SpeedMbps: m.speed(n),
	}
	if base := n.get("base"); base != "" { // an alias is an address of its base
		item.Name = base
	}
	if text := n.get("mac"); text != "" {
		mac, ok := hardwareAddress(text)
		if !ok {
			m.warnf(n, "%q is not a MAC address; it is ignored", text)
		}
		item.Mac = mac
	}
	return item
}

// interfaceTypes maps the type names that differ from ours.
var interfaceTypes = map[string]string{"ether": "ethernet", "aggregate": "bond", "alias": "", "dialup": "ppp"}

func interfaceType(text string) string {
	text = strings.ToLower(text)
	if ours, differs := interfaceTypes[text]; differs {
		return ours
	}
	return text
}

func isLoopback(n *node) bool {
	address, err := netip.ParseAddr(n.first("ipaddress", "ipaddress6"))
	return strings.EqualFold(n.get("type"), "loopback") || err == nil && address.IsLoopback()
}

// speed returns Mbit/s; OCS writes "1 Gbps".
func (m *machine) speed(n *node) *uint32 {
	text := n.get("speed")
	if text == "" || strings.HasPrefix(text, "-1") { // Linux reports -1 for an interface without a cable
		return nil
	}
	for _, unit := range []struct {
		suffix string
		factor float64
	}{{"Gbps", 1000}, {"Gb/s", 1000}, {"Mbps", 1}, {"Mb/s", 1}, {"", 1}} {
		number, found := strings.CutSuffix(text, unit.suffix)
		if !found {
			continue
		}
		value, ok := decimal(strings.TrimSpace(number))
		switch speed := value * unit.factor; {
		case !ok || speed > 1<<31:
			m.unreadable(n, "speed", text)
		case speed >= 1:
			return proto.Uint32(uint32(speed))
		}
		return nil
	}
	return nil
}

// addresses returns the addresses of an entry in CIDR notation, without loopback and link-local
// ones. It returns false if an invalid address was ignored.
func (m *machine) addresses(n *node) (texts []string, ok bool) {
	ok = true
	for _, field := range []struct{ address, mask string }{{"ipaddress", "ipmask"}, {"ipaddress6", "ipmask6"}} {
		text := n.get(field.address)
		if text == "" {
			continue
		}
		bare, _, _ := strings.Cut(text, "%")
		address, err := netip.ParseAddr(bare)
		if err == nil && (address.IsLinkLocalUnicast() || address.IsLoopback()) {
			continue
		}
		length, known := prefixLength(n.get(field.mask))
		prefix := netip.PrefixFrom(address, length)
		if err != nil || !known || !prefix.IsValid() {
			m.warnf(n, "%q with the mask %q is not an address; it is ignored", text, n.get(field.mask))
			ok = false
			continue
		}
		texts = append(texts, prefix.String())
	}
	return texts, ok
}

// prefixLength reads "255.255.255.0", "ffff:ffff::" and "64". A mask must not have ones after
// zeros.
func prefixLength(mask string) (int, bool) {
	if length, err := strconv.Atoi(mask); err == nil && length > 0 {
		return length, true
	}
	address, err := netip.ParseAddr(mask)
	if err != nil {
		return 0, false
	}
	length, ended := 0, false
	for _, b := range address.AsSlice() {
		ones := bits.LeadingZeros8(^b)
		if ended && b != 0 || b<<ones != 0 {
			return 0, false
		}
		length += ones
		ended = ended || ones < 8
	}
	return length, true
}

// sortAddresses sorts numerically and removes duplicates, as our own agent does.
func sortAddresses(texts []string) []string {
	slices.SortFunc(texts, func(a, b string) int {
		return netip.MustParsePrefix(a).Compare(netip.MustParsePrefix(b)) // written by addresses
	})
	return slices.Compact(texts)
}

// resolvers adds the machine's name servers to the interface with the default route, if there is
// exactly one.
func (m *machine) resolvers(items []entry) {
	hardware := m.single("hardware")
	gateway, servers := hardware.get("defaultgateway"), hardware.get("dns")
	if gateway == "" || servers == "" {
		return
	}
	var on []*inventoryv1.NetworkInterface
	for _, e := range items {
		if item, is := e.item.(*inventoryv1.NetworkInterface); is && slices.Contains(item.Gateways, gateway) {
			on = append(on, item)
		}
	}
	if len(on) == 1 {
		on[0].DnsServers = strings.FieldsFunc(servers, func(r rune) bool { return r == '/' || r == ',' || r == ' ' })
	}
}

// hardwareAddress returns an address of 48 or 64 bits in lower case with colons, and "" for an
// all-zero one. It accepts bytes separated by colons, hyphens or nothing, and the groups of four
// digits with dots that switches show.
func hardwareAddress(text string) (mac string, ok bool) {
	text = strings.ToLower(text)
	digits := text
	for _, form := range []struct {
		separator string
		group     int
	}{{":", 2}, {"-", 2}, {".", 4}} {
		if strings.Contains(text, form.separator) {
			groups := strings.Split(text, form.separator)
			if slices.ContainsFunc(groups, func(g string) bool { return len(g) != form.group }) {
				return "", false
			}
			digits = strings.Join(groups, "")
			break
		}
	}
	address, err := hex.DecodeString(digits)
	if err != nil || len(address) != 6 && len(address) != 8 {
		return "", false
	}
	if strings.Trim(digits, "0") == "" {
		return "", true
	}
	parts := make([]string, len(address))
	for i := range parts {
		parts[i] = digits[2*i : 2*i+2]
	}
	return strings.Join(parts, ":"), true
}
