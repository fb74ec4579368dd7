package network

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const portList = `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>Interfaces</key><array>
<dict><key>BSD Name</key><string>en0</string><key>IOMACAddress</key><data>KGmXJAg/</data>
<key>SCNetworkInterfaceInfo</key><dict><key>UserDefinedName</key><string>Wi-Fi</string></dict>
<key>SCNetworkInterfaceType</key><string>IEEE80211</string></dict>
<dict><key>BSD Name</key><string>en1</string><key>IOMACAddress</key><data>NvDA4lvA</data>
<key>SCNetworkInterfaceType</key><string>Ethernet</string></dict>
<dict><key>BSD Name</key><string>en7</string><key>SCNetworkInterfaceType</key><integer>1</integer></dict>
</array></dict></plist>`

// macHost is a notebook on Wi-Fi with a random address, a VPN, and the interfaces of macOS itself.
func macHost(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	type values = map[string]any
	h, err := host.Replay(hosttest.Recording(t, "darwin", files, []hosttest.Call{
		{Call: "network interfaces", Value: []values{
			{"Index": 1, "Name": "lo0", "Up": true, "Loopback": true},
			{"Index": 4, "Name": "ap1", "MAC": "fa:cc:f2:56:77:6b"},
			{"Index": 5, "Name": "en0", "MAC": "5e:01:02:03:04:05", "MTU": 1500, "Up": true, "Gateways": []string{"192.0.2.1"}},
			{"Index": 6, "Name": "en1", "MAC": "36:f0:c0:e2:5b:c0", "MTU": 1500, "Up": true},
			{"Index": 7, "Name": "bridge0", "MAC": "36:f0:c0:e2:5b:c0", "MTU": 1500, "Up": true},
			{"Index": 8, "Name": "awdl0", "MAC": "86:33:72:94:77:aa", "MTU": 1500, "Up": true},
			{"Index": 9, "Name": "utun0", "Up": true, "Tunnel": true, "MTU": 1380},
			{"Index": 10, "Name": "utun4", "Up": true, "Tunnel": true, "MTU": 1400},
		}},
		{Call: "network addresses", Value: []values{
			{"Index": 5, "Prefix": "192.0.2.107/24"}, {"Index": 9, "Prefix": "fe80::1/64"}, {"Index": 10, "Prefix": "198.51.100.7/32"},
		}},
		{Call: "neighbors", Value: []values{{"Index": 5, "Address": "192.0.2.1", "MAC": "00:00:5e:00:01:01"}}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestCollectMac(t *testing.T) {
	t.Parallel()
	h := macHost(t, map[string]string{hardwarePorts: portList, "/etc/resolv.conf": "nameserver 192.0.2.53\n"})
	got, err := Collector().Collect(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	want := []proto.Message{
		&inventoryv1.NetworkInterface{
			Name: "en0", Mac: "5e:01:02:03:04:05", PermanentMac: "28:69:97:24:08:3f", Type: "wifi", Mtu: proto.Uint32(1500),
			IsVirtual: proto.Bool(false), State: "up", Addresses: []string{"192.0.2.107/24"}, Gateways: []string{"192.0.2.1"},
			GatewayMacs: []string{"00:00:5e:00:01:01"}, DnsServers: []string{"192.0.2.53"},
		},
		&inventoryv1.NetworkInterface{
			Name: "en1", Mac: "36:f0:c0:e2:5b:c0", PermanentMac: "36:f0:c0:e2:5b:c0", Type: "ethernet", Mtu: proto.Uint32(1500),
			IsVirtual: proto.Bool(false), State: "up",
		},
		&inventoryv1.NetworkInterface{
			Name: "utun4", Type: "tunnel", Mtu: proto.Uint32(1400), IsVirtual: proto.Bool(true), State: "up",
			Addresses: []string{"198.51.100.7/32"},
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("interfaces (-want +got):\n%s", diff)
	}
}

func TestDamagedPorts(t *testing.T) {
	t.Parallel()
	got, err := Collector().Collect(t.Context(), macHost(t, map[string]string{hardwarePorts: "bplist00"}))
	if err == nil || len(got) == 0 {
		t.Errorf("%d interfaces, error %v", len(got), err)
	}
}

func FuzzPorts(f *testing.F) {
	f.Add([]byte(portList))
	f.Add([]byte(`{ Interfaces = ( { "BSD Name" = en0; IOMACAddress = <2869>; } ); }`))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = parsePorts(data) })
}
