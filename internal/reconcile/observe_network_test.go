package reconcile_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

const gatewayMAC = "00:1a:2b:00:00:01"

func TestObserveNetwork(t *testing.T) {
	t.Parallel()
	got := reconcile.Observe(map[string][]json.RawMessage{"network_interface": items(
		`{"name":"eth0","addresses":["192.0.2.7/24"],"gateways":["192.0.2.1"],"gateway_macs":["00:1a:2b:00:00:01"]}`,
		`{"name":"wlan0","addresses":["192.0.2.8/24"],"gateways":["192.0.2.1"],"gateway_macs":["00:1a:2b:00:00:01"]}`)}, honest).Components
	want := []inventory.Component{{
		Class: "network", Key: "192.0.2.0/24 via " + gatewayMAC, Relationship: "member_of", Inverse: true,
		Attributes:  inventory.Attributes{"name": "192.0.2.0/24", "subnet": "192.0.2.0/24", "gateway_mac": gatewayMAC},
		Identifiers: inventory.RawIdentifiers{Native: []string{"network:" + gatewayMAC + "|192.0.2.0/24"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestObserveNetworks(t *testing.T) {
	t.Parallel()
	const macs = `"gateway_macs":["00:1a:2b:00:00:01"]`
	for _, c := range []struct {
		name, system, iface string
		want                []string
	}{
		{"no gateway", `{}`, `{"addresses":["192.0.2.7/24"]}`, nil},
		{"the gateway's hardware address is not known", `{}`, `{"addresses":["192.0.2.7/24"],"gateways":["192.0.2.1"]}`, nil},
		{"a hardware address without a gateway", `{}`, `{"addresses":["192.0.2.7/24"],` + macs + `}`, nil},
		{"no address", `{}`, `{"gateways":["192.0.2.1"],` + macs + `}`, nil},
		{"the gateway's subnet of two", `{}`, `{"addresses":["10.0.0.7/8","192.0.2.7/24"],"gateways":["192.0.2.1"],` + macs + `}`, []string{"192.0.2.0/24"}},
		{"no subnet has the gateway", `{}`, `{"addresses":["10.1.2.7/16","192.0.2.7/24"],"gateways":["198.51.100.1"],` + macs + `}`, []string{"10.1.0.0/16"}},
		{"IPv4 before IPv6", `{}`, `{"addresses":["2001:db8::7/64","192.0.2.7/24"],"gateways":["fe80::1"],` + macs + `}`, []string{"192.0.2.0/24"}},
		{"IPv6 alone", `{}`, `{"addresses":["2001:db8::7/128","2001:db8:0:1::7/64"],"gateways":["fe80::1"],` + macs + `}`, []string{"2001:db8:0:1::/64"}},
		{"an address alone is no subnet", `{}`, `{"addresses":["192.0.2.7/32"],"gateways":["192.0.2.1"],` + macs + `}`, nil},
		{"link-local, and no address at all", `{}`, `{"addresses":["fe80::7/64","169.254.0.7/16","x"],"gateways":["192.0.2.1"],` + macs + `}`, nil},
		{"two gateways", `{}`, `{"addresses":["192.0.2.7/24"],"gateways":["192.0.2.1"],"gateway_macs":["00:1a:2b:00:00:09","00:1a:2b:00:00:01"]}`, []string{"192.0.2.0/24"}},
		{"a tunnel", `{}`, `{"type":"tunnel","is_virtual":true,"addresses":["192.0.2.7/24"],"gateways":["192.0.2.1"],` + macs + `}`, nil},
		{"a bond", `{}`, `{"type":"bond","is_virtual":true,"addresses":["192.0.2.7/24"],"gateways":["192.0.2.1"],` + macs + `}`, []string{"192.0.2.0/24"}},
		{"a virtual machine", `{"is_virtual":true}`, `{"addresses":["192.0.2.7/24"],"gateways":["192.0.2.1"],` + macs + `}`, []string{"192.0.2.0/24"}},
		{"a container", `{"container_type":"docker"}`, `{"addresses":["172.17.0.2/16"],"gateways":["172.17.0.1"],` + macs + `}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Observe(map[string][]json.RawMessage{"system": items(c.system), "network_interface": items(c.iface)}, honest)
			var subnets []string
			for _, part := range got.Components {
				if part.Key != part.Attributes["subnet"].(string)+" via "+gatewayMAC {
					t.Errorf("key %s", part.Key)
				}
				subnets = append(subnets, part.Attributes["subnet"].(string))
			}
			if diff := cmp.Diff(c.want, subnets); diff != "" {
				t.Errorf("subnets (-want +got):\n%s", diff)
			}
		})
	}
}
