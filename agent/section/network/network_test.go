package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// interfaceAt adds an interface to a tree: the link in /sys/class/net and its attributes,
// "name=value" each.
func interfaceAt(tree map[string]string, device string, attributes ...string) {
	name := device[strings.LastIndexByte(device, '/')+1:]
	tree["/sys/class/net/"+name] = "-> ../../devices/" + device
	directory := "/sys/devices/" + device + "/"
	tree[directory] = ""
	for _, attribute := range attributes {
		file, text, _ := strings.Cut(attribute, "=")
		tree[directory+file] = text
	}
}

const (
	card = "pci0000:00/0000:00:1f.6/net/"
	soft = "virtual/net/"
)

// desktop is an invented machine with every source of network interfaces.
func desktop() map[string]string {
	tree := map[string]string{
		"/sys/class/net/bonding_masters":              "\n",
		"/sys/devices/pci0000:00/0000:00:1f.6/driver": "-> ../../../bus/pci/drivers/e1000e",
		"/proc/net/route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
			"eth0\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
			"wlan0\t00000000\t0103000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n" +
			"eth0\t0002000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n",
		"/proc/net/ipv6_route": zeros + " 00 " + zeros + " 00 fe800000000000000000000000000001 00000064 00000001 00000000 00450003     eth0\n" +
			zeros + " 00 " + zeros + " 00 " + zeros + " ffffffff 00000001 00000000 00200200       lo\n",
		"/etc/resolv.conf":                 "# stub\nnameserver 127.0.0.53\noptions edns0\nsearch office.example\n",
		"/run/systemd/resolve/resolv.conf": "nameserver 10.0.2.53\nnameserver fe80::1%eth0\nnameserver 10.0.2.53\nnameserver dns.example\n",
	}
	interfaceAt(tree, soft+"lo", "type=772", "address=00:00:00:00:00:00", "flags=0x9")
	interfaceAt(tree, card+"eth0", "type=1", "address=00:1A:2b:00:00:42\n", "flags=0x1003", "ifindex=2", "mtu=1500\n", "speed=1000\n", "duplex=full\n", "operstate=up\n", "device=-> ../..")
	interfaceAt(tree, "pci0000:00/0000:00:14.3/net/wlan0", "type=1", "address=00:1a:2b:00:00:43", "flags=0x1003", "speed=-1", "operstate=dormant", "uevent=DEVTYPE=wlan\nINTERFACE=wlan0\n")
	interfaceAt(tree, soft+"docker0", "type=1", "address=02:42:00:00:00:01", "flags=0x1003", "uevent=DEVTYPE=bridge\n", "brif/veth42=-> ../veth42")
	interfaceAt(tree, soft+"veth42", "type=1", "address=02:42:00:00:00:02", "flags=0x1003", "uevent=INTERFACE=veth42\n")
	interfaceAt(tree, soft+"br0", "type=1", "address=00:1a:2b:00:00:42", "flags=0x1003", "uevent=DEVTYPE=bridge\n", "brif/eth0=-> ../eth0")
	interfaceAt(tree, soft+"bond0", "type=1", "address=00:1a:2b:00:00:44", "flags=0x1002", "uevent=DEVTYPE=bond\n", "bonding/slaves=\n")
	interfaceAt(tree, soft+"eth0.42", "type=1", "address=00:1a:2b:00:00:42", "flags=0x1003", "uevent=DEVTYPE=vlan\n", "lower_eth0=-> ../eth0")
	interfaceAt(tree, soft+"docker0.7", "type=1", "flags=0x1003", "uevent=DEVTYPE=vlan\n", "lower_docker0=-> ../docker0")
	interfaceAt(tree, soft+"wg0", "type=65534", "flags=0x91", "operstate=unknown", "uevent=DEVTYPE=wireguard\n")
	interfaceAt(tree, soft+"tun0", "type=65534", "flags=0x1091", "tun_flags=0x1001")
	interfaceAt(tree, soft+"tap0", "type=1", "flags=0x1003", "tun_flags=0x1002")
	interfaceAt(tree, soft+"sit0", "type=776", "address=0.0.0.0", "flags=0x80")
	interfaceAt(tree, soft+"ifb0", "type=1", "address=16:f4:7a:00:00:01", "flags=0x82")
	interfaceAt(tree, soft+"macvtap0", "type=1", "flags=0x1003", "uevent=DEVTYPE=macvtap\n", "lower_eth0=-> ../eth0")
	interfaceAt(tree, "pci0000:00/0000:00:1a.0/net/can0", "type=280", "flags=0x1003")
	return tree
}

const zeros = "00000000000000000000000000000000"

func collectAll(t *testing.T, h *host.Host) (map[string]*inventoryv1.NetworkInterface, section.Report) {
	t.Helper()
	report := section.Run(t.Context(), h, []section.Collector{Collector()})[0]
	found := map[string]*inventoryv1.NetworkInterface{}
	for _, item := range report.Items {
		i := item.(*inventoryv1.NetworkInterface)
		found[i.Name] = i
	}
	return found, report
}

func TestDesktop(t *testing.T) {
	t.Parallel()
	got, report := collectAll(t, hosttest.Tree(t, desktop()))
	hard, virtual := proto.Bool(false), proto.Bool(true)
	want := map[string]*inventoryv1.NetworkInterface{
		"eth0": {
			Name: "eth0", Mac: "00:1a:2b:00:00:42", Type: "ethernet", Mtu: proto.Uint32(1500), IsVirtual: hard, Driver: "e1000e",
			Gateways: []string{"10.0.2.1", "fe80::1"}, DnsServers: []string{"10.0.2.53", "fe80::1%eth0"}, SpeedMbps: proto.Uint32(1000), Duplex: "full", State: "up",
		},
		"wlan0":   {Name: "wlan0", Mac: "00:1a:2b:00:00:43", Type: "wifi", IsVirtual: hard, Gateways: []string{"10.0.3.1"}, State: "dormant"},
		"br0":     {Name: "br0", Mac: "00:1a:2b:00:00:42", Type: "bridge", IsVirtual: virtual},
		"eth0.42": {Name: "eth0.42", Mac: "00:1a:2b:00:00:42", Type: "vlan", IsVirtual: virtual},
		"wg0":     {Name: "wg0", Type: "tunnel", IsVirtual: virtual},
		"tun0":    {Name: "tun0", Type: "tunnel", IsVirtual: virtual},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("interfaces (-want +got):\n%s", diff)
	}
	if report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func TestContainersInterfaceIsItsOnlyWay(t *testing.T) {
	t.Parallel()
	tree := map[string]string{
		"/proc/net/route":  "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		"/etc/resolv.conf": "nameserver 172.17.0.1\n",
	}
	interfaceAt(tree, soft+"eth0", "type=1", "address=02:42:ac:11:00:02", "flags=0x1003", "iflink=42", "ifindex=41")
	got, _ := collectAll(t, hosttest.Tree(t, tree))
	want := map[string]*inventoryv1.NetworkInterface{"eth0": {
		Name: "eth0", Mac: "02:42:ac:11:00:02", Type: "ethernet", IsVirtual: proto.Bool(true),
		Gateways: []string{"172.17.0.1"}, DnsServers: []string{"172.17.0.1"},
	}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("interfaces (-want +got):\n%s", diff)
	}
}

func TestNoSysfs(t *testing.T) {
	t.Parallel()
	if _, report := collectAll(t, hosttest.Tree(t, map[string]string{"/etc/": ""})); report.Status != inventory.StatusUnsupported {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	at := func(prefix string) host.InterfaceAddress {
		return host.InterfaceAddress{Index: 2, Prefix: netip.MustParsePrefix(prefix)}
	}
	temporary, tentative, deprecated, other := at("2001:db8::1/64"), at("2001:db8::2/64"), at("2001:db8::3/64"), at("192.0.2.9/24")
	temporary.Temporary, tentative.Tentative, deprecated.Deprecated, other.Index = true, true, true, 3
	got := lasting([]host.InterfaceAddress{
		at("2001:db8::42/64"), at("192.0.2.10/24"), temporary, tentative, deprecated, other, at("fe80::1/64"), at("169.254.0.1/16"),
		at("127.0.0.1/8"), at("192.0.2.9/24"), at("192.0.2.10/24"), {Index: 2},
	}, 2)
	want := []string{"192.0.2.9/24", "192.0.2.10/24", "2001:db8::42/64"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestOtherSystems(t *testing.T) {
	t.Parallel()
	links := []*link{
		linkOf(host.Interface{Index: 1, Name: "lo0", Loopback: true, Up: true}),
		linkOf(host.Interface{Index: 4, Name: "en0", MAC: "00:1A:2B:00:00:42", MTU: 1500, Up: true}),
		linkOf(host.Interface{Index: 5, Name: "utun0", Tunnel: true, Up: true}),
		linkOf(host.Interface{Index: 6, Name: "gif0", Tunnel: true}),
	}
	var got []*inventoryv1.NetworkInterface
	for _, l := range choose(links, nil) {
		got = append(got, l.item)
	}
	want := []*inventoryv1.NetworkInterface{
		{Name: "en0", Mac: "00:1a:2b:00:00:42", Mtu: proto.Uint32(1500), State: "up"},
		{Name: "utun0", Type: "tunnel", IsVirtual: proto.Bool(true), State: "up"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("interfaces (-want +got):\n%s", diff)
	}
}

func TestBondAndItsCircle(t *testing.T) {
	t.Parallel()
	tree := map[string]string{}
	interfaceAt(tree, card+"eth0", "type=1", "flags=0x1003")
	interfaceAt(tree, soft+"bond0", "type=1", "flags=0x1003", "uevent=DEVTYPE=bond\n", "bonding/slaves=eth0 eth1\n")
	interfaceAt(tree, soft+"team0", "type=1", "flags=0x1003", "lower_eth0=-> ../eth0")
	interfaceAt(tree, soft+"a", "type=1", "flags=0x1003", "uevent=DEVTYPE=vlan\n", "lower_b=-> ../b")
	interfaceAt(tree, soft+"b", "type=1", "flags=0x1003", "uevent=DEVTYPE=vlan\n", "lower_a=-> ../a")
	got, _ := collectAll(t, hosttest.Tree(t, tree))
	types := map[string]string{}
	for name, i := range got {
		types[name] = i.Type
	}
	want := map[string]string{"eth0": "ethernet", "bond0": "bond", "team0": "ethernet"}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

// TestOpenVSwitch: the datapath and the tunnels of its ports have other addresses after each start
// and are left out; a bridge that the machine uses is a bridge.
func TestOpenVSwitch(t *testing.T) {
	t.Parallel()
	for name, withRoute := range map[string]bool{"with a default route": true, "without": false} {
		tree := map[string]string{}
		if withRoute {
			tree["/proc/net/route"] = "br-ex\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
		}
		port := "upper_ovs-system=-> ../ovs-system"
		interfaceAt(tree, card+"eth0", "type=1", "address=00:1a:2b:00:00:42", "flags=0x1103", port, "master=-> ../ovs-system")
		interfaceAt(tree, card+"eth1", "type=1", "address=00:1a:2b:00:00:43", "flags=0x1003")
		interfaceAt(tree, soft+"ovs-system", "type=1", "address=da:e8:3c:1f:00:01", "flags=0x1002", "lower_eth0=-> ../eth0",
			"lower_vxlan_sys_4789=-> ../vxlan_sys_4789", "lower_veth7=-> ../veth7", "lower_tap3=-> ../tap3")
		interfaceAt(tree, soft+"br-ex", "type=1", "address=00:1a:2b:00:00:42", "flags=0x1103")
		interfaceAt(tree, soft+"br-down", "type=1", "address=00:1a:2b:00:00:42", "flags=0x1002")
		interfaceAt(tree, soft+"br-int", "type=1", "address=16:f4:7a:00:00:02", "flags=0x1002")
		interfaceAt(tree, soft+"dummy0", "type=1", "address=16:f4:7a:00:00:03", "flags=0x1003")
		interfaceAt(tree, soft+"vxlan_sys_4789", "type=1", "address=5e:11:00:00:00:01", "flags=0x1003", "uevent=DEVTYPE=vxlan\n", port)
		interfaceAt(tree, soft+"veth7", "type=1", "address=5e:11:00:00:00:02", "flags=0x1003", port)
		interfaceAt(tree, soft+"tap3", "type=1", "address=5e:11:00:00:00:03", "flags=0x1003", "tun_flags=0x1002", port)
		got, report := collectAll(t, hosttest.Tree(t, tree))
		types := map[string]string{}
		for name, i := range got {
			types[name] = i.Type
		}
		want := map[string]string{"eth0": "ethernet", "eth1": "ethernet", "br-ex": "bridge"}
		if diff := cmp.Diff(want, types); diff != "" || report.Status != inventory.StatusOK {
			t.Errorf("%s: status %s, types (-want +got):\n%s", name, report.Status, diff)
		}
	}
}

func BenchmarkCollect(b *testing.B) {
	b.ReportAllocs()
	var known neighbors
	for b.Loop() {
		if _, err := known.collect(b.Context(), host.Local()); err != nil {
			b.Fatal(err)
		}
	}
}
