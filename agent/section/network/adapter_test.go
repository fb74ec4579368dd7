package network

import (
	"net/netip"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// windowsLinks are the interfaces of a laptop with a virtual switch and a VPN.
func windowsLinks() []*link {
	address := netip.MustParseAddr
	var links []*link
	for _, i := range []host.Interface{
		{Index: 1, Name: "Loopback", Loopback: true, Type: 24, Up: true, Hardware: proto.Bool(false)},
		{
			Index: 2, Name: "Wi-Fi", MAC: "00:11:22:33:44:55", PermanentMAC: "00:11:22:33:44:66", Type: 71, Up: true, MTU: 1500,
			Hardware: proto.Bool(true), SpeedBits: 866_700_000, Gateways: []netip.Addr{address("192.168.1.1"), address("fe80::1")},
			NameServers: []netip.Addr{address("192.168.1.1")}, Metric: 35,
		},
		{Index: 3, Name: "Ethernet", MAC: "00:11:22:33:44:77", Type: 6, Hardware: proto.Bool(true), SpeedBits: 1 << 63},
		{Index: 4, Name: "Local Area Connection* 1", MAC: "02:11:22:33:44:55", Type: 71, Hardware: proto.Bool(false)},
		{Index: 5, Name: "vEthernet (Default Switch)", MAC: "00:15:5d:00:00:01", Type: 6, Up: true, Hardware: proto.Bool(false)},
		{Index: 6, Name: "VPN", Type: 131, Tunnel: true, Up: true, Hardware: proto.Bool(false), Gateways: []netip.Addr{address("10.0.0.1")}, Metric: 5},
		{Index: 7, Name: "Teredo", Type: 131, Tunnel: true, Hardware: proto.Bool(false)},
	} {
		links = append(links, linkOf(i))
	}
	return links
}

func TestChooseOnWindows(t *testing.T) {
	t.Parallel()
	links := windowsLinks()
	gateways, best := addOwnGateways(links, map[string][]string{}, "")
	if want := map[string][]string{"Wi-Fi": {"192.168.1.1", "fe80::1"}, "VPN": {"10.0.0.1"}}; best != "VPN" || !gocmp.Equal(gateways, want) {
		t.Errorf("best %q, gateways %v", best, gateways)
	}
	var got []*inventoryv1.NetworkInterface
	for _, l := range choose(links, gateways) {
		got = append(got, l.item)
	}
	want := []*inventoryv1.NetworkInterface{
		{
			Name: "Wi-Fi", Mac: "00:11:22:33:44:55", PermanentMac: "00:11:22:33:44:66", Type: wifi, Mtu: proto.Uint32(1500),
			IsVirtual: proto.Bool(false), SpeedMbps: proto.Uint32(866), DnsServers: []string{"192.168.1.1"}, State: "up",
		},
		{Name: "Ethernet", Mac: "00:11:22:33:44:77", Type: ethernet, IsVirtual: proto.Bool(false), State: "down"},
		{Name: "VPN", Type: tunnel, IsVirtual: proto.Bool(true), State: "up"},
	}
	if diff := gocmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDriverOf(t *testing.T) {
	t.Parallel()
	h := hosttest.Windows(t, map[string]map[string]any{
		connectionKey + `{A}\Connection`:        {"PnPInstanceId": `PCI\VEN_8086&DEV_15FB\3&1`, "Name": "Ethernet"},
		connectionKey + `{B}\Connection`:        {"Name": "Ethernet 2"},
		deviceKey + `PCI\VEN_8086&DEV_15FB\3&1`: {"Service": "e1dexpress"},
	})
	for id, want := range map[string]string{"{A}": "e1dexpress", "{B}": "", "{C}": "", "": ""} {
		if got := driverOf(h, id); got != want {
			t.Errorf("driverOf(%q) = %q, want %q", id, got, want)
		}
	}
}
