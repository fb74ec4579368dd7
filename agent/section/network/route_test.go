package network

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/section/hosttest"
)

func TestParseRoutes(t *testing.T) {
	t.Parallel()
	got := parseRoutes("Iface\tDestination\n" +
		"eth0\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
		"ppp0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0\n" + // the next hop needs no address
		"eth1\t00000000\t0103000A\t0002\t0\t0\t0\t00000000\t0\t0\t0\n" + // down
		"*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n" + // unreachable
		"eth2\t00000000\t0103000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n" + // half of the Internet
		"eth3\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
		"eth4\t00000000\tgateway\tflags\t0\t0\t0\t00000000\n\n" + strings.Repeat("z", 1<<20))
	want := []route{{iface: "eth0", gateway: netip.MustParseAddr("10.0.2.1"), metric: 100}, {iface: "ppp0", metric: 50}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(route{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

// A recorded table of a virtual machine behind 192.168.71.2, which has no IPv6 route to the
// outside.
func TestRecordedRoutes(t *testing.T) {
	t.Parallel()
	dir := hosttest.Corpus(t, "command-output", "jc", "linux-proc")
	h := hosttest.Tree(t, map[string]string{
		"/proc/net/route": read(t, filepath.Join(dir, "net_route")), "/proc/net/ipv6_route": read(t, filepath.Join(dir, "net_ipv6_route")),
	})
	got, best := gateways(h)
	if diff := cmp.Diff(map[string][]string{"ens33": {"192.168.71.2"}}, got); diff != "" || best != "ens33" {
		t.Errorf("default interface %s, gateways (-want +got):\n%s", best, diff)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestNameServers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"in their order": {map[string]string{"/etc/resolv.conf": "nameserver 192.0.2.2\n nameserver 192.0.2.4\nnameserver\t192.0.2.1 # second\n;nameserver 192.0.2.3\nnameserver\n"}, []string{"192.0.2.2", "192.0.2.1"}},
		"a stub alone":   {map[string]string{"/etc/resolv.conf": "nameserver 127.0.0.53\n"}, nil},
		"another local":  {map[string]string{"/etc/resolv.conf": "nameserver 127.0.0.1\n"}, []string{"127.0.0.1"}},
		"none":           {map[string]string{"/etc/": ""}, nil},
		"too long":       {map[string]string{"/etc/resolv.conf": strings.Repeat("nameserver 192.0.2.1\n", 1<<14)}, nil},
	} {
		got := nameServers(hosttest.Tree(t, tt.files))
		if len(got) == 0 && len(tt.want) == 0 {
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzTables(f *testing.F) {
	f.Add("eth0\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "nameserver 192.0.2.1\n")
	f.Add(zeros+" 00 "+zeros+" 00 fe800000000000000000000000000001 00000064 00000001 00000000 00450003     eth0\n", "")
	f.Fuzz(func(t *testing.T, table, resolver string) {
		for at := range parseARP(table) {
			if at.iface == "" || !at.ip.IsValid() {
				t.Errorf("a neighbor on no interface: %v", at)
			}
		}
		for _, r := range append(parseRoutes(table), parseRoutes6(table)...) {
			if r.iface == "" {
				t.Errorf("a route over no interface: %v", r)
			}
		}
		for _, server := range parseResolvConf(resolver) {
			if _, err := netip.ParseAddr(server); err != nil {
				t.Errorf("%q is no address", server)
			}
		}
	})
}
