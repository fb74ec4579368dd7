package network

import (
	"encoding/json"
	"net/netip"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const arpHeading = "IP address       HW type     Flags       HW address            Mask     Device\n"

func TestParseARPCorpus(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile(hosttest.Corpus(t, "command-output", "jc", "linux-proc", "net_arp"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(hosttest.Corpus(t, "command-output", "jc", "linux-proc", "net_arp.json"))
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		IP     string `json:"IP_address"`
		MAC    string `json:"HW_address"`
		Device string `json:"Device"`
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	want := map[neighbor]string{}
	for _, e := range entries {
		want[neighbor{e.Device, netip.MustParseAddr(e.IP)}] = e.MAC
	}
	if diff := cmp.Diff(want, parseARP(string(table)), cmp.AllowUnexported(neighbor{}), cmp.Comparer(same)); diff != "" {
		t.Errorf("neighbors (-want +got):\n%s", diff)
	}
}

func same(a, b netip.Addr) bool { return a == b }

func TestParseARP(t *testing.T) {
	t.Parallel()
	got := parseARP(arpHeading +
		"192.0.2.1        0x1         0x2         00:1A:2B:00:00:01     *        eth0\n" +
		"192.0.2.2        0x1         0x6         00:1a:2b:00:00:02     *        eth0\n" + // set by hand
		"192.0.2.3        0x1         0x0         00:1a:2b:00:00:03     *        eth0\n" + // did not answer
		"192.0.2.4        0x1         0x2         00:00:00:00:00:00     *        eth0\n" +
		"192.0.2.5        0x20        0x2         80:00:00:48:fe:80     *\n" +
		"192.0.2.6        0x1         0xc         00:1a:2b:00:00:06     *        eth0\n") // published for others
	want := map[neighbor]string{
		{"eth0", netip.MustParseAddr("192.0.2.1")}: "00:1a:2b:00:00:01",
		{"eth0", netip.MustParseAddr("192.0.2.2")}: "00:1a:2b:00:00:02",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(neighbor{}), cmp.Comparer(same)); diff != "" {
		t.Errorf("neighbors (-want +got):\n%s", diff)
	}
}

func TestGatewayMACs(t *testing.T) {
	t.Parallel()
	tree := desktop()
	tree["/proc/net/arp"] = arpHeading +
		"10.0.2.1         0x1         0x2         00:00:5e:00:01:02     *        eth0\n" +
		"10.0.2.1         0x1         0x2         00:00:5e:00:01:99     *        wlan0\n" +
		"10.0.2.77        0x1         0x2         00:1a:2b:00:00:77     *        eth0\n"
	got, _ := collectAll(t, hosttest.Tree(t, tree))
	if diff := cmp.Diff([]string{"00:00:5e:00:01:02"}, got["eth0"].GatewayMacs); diff != "" {
		t.Errorf("of eth0 (-want +got):\n%s", diff)
	}
	if macs := got["wlan0"].GatewayMacs; macs != nil {
		t.Errorf("of wlan0: %v; its gateway is unknown to the table", macs)
	}
}

// TestGatewayStaysKnown: if the kernel drops a neighbor between two collections, the item does not
// change as long as the interface keeps the gateway. A new collector starts without the cache.
func TestGatewayStaysKnown(t *testing.T) {
	t.Parallel()
	const first, second = "00:1a:2b:00:00:01", "00:1a:2b:00:00:02"
	route := func(gateway string) string {
		return "eth0\t00000000\t" + gateway + "\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
	}
	const here, there = "0102000A", "0103000A" // 10.0.2.1, 10.0.3.1
	arp := func(mac string) string {
		return arpHeading + "10.0.2.1         0x1         0x2         " + mac + "     *        eth0\n"
	}
	known := Collector()
	for _, step := range []struct {
		name, route, arp string
		want             []string
	}{
		{"not known yet", route(here), arpHeading, nil},
		{"known", route(here), arp(first), []string{first}},
		{"forgotten by the kernel", route(here), arpHeading, []string{first}},
		{"replaced", route(here), arp(second), []string{second}},
		{"forgotten again", route(here), arpHeading, []string{second}},
		{"another gateway", route(there), arpHeading, nil},
		{"back, not known yet", route(here), arpHeading, nil},
	} {
		tree := map[string]string{"/proc/net/route": step.route, "/proc/net/arp": step.arp}
		interfaceAt(tree, card+"eth0", "type=1", "address=00:1a:2b:00:00:42", "flags=0x1003")
		report := section.Run(t.Context(), hosttest.Tree(t, tree), []section.Collector{known})[0]
		got := report.Items[0].(*inventoryv1.NetworkInterface).GatewayMacs
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
