package reconcile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestIdentifiersOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		baseClass  string
		attributes inventory.Attributes
		want       inventory.RawIdentifiers
	}{
		"none": {"computer", nil, inventory.RawIdentifiers{}},
		"all": {"computer", inventory.Attributes{
			"manufacturer": "Dell", "model": "T14", "serial_number": "S1", "uuid": "u", "hostname": "pc1", "fqdn": "pc1.example",
			"install_id": "i", "asset_tag": "A-7", "owner": "Ada",
		}, inventory.RawIdentifiers{
			Manufacturer: "Dell", Model: "T14", SerialNumber: "S1", UUID: "u", Hostname: "pc1", FQDN: "pc1.example",
			OSInstallID: "i",
		}},
		"the name of a computer":        {"computer", inventory.Attributes{"name": "pc1"}, inventory.RawIdentifiers{Hostname: "pc1"}},
		"the name of a monitor":         {"monitor", inventory.Attributes{"name": "Reception"}, inventory.RawIdentifiers{}},
		"the name of an unknown class":  {"", inventory.Attributes{"name": "pc1"}, inventory.RawIdentifiers{}},
		"a host name beside the name":   {"computer", inventory.Attributes{"name": "Mail", "hostname": "mx"}, inventory.RawIdentifiers{Hostname: "mx"}},
		"a host name of another class":  {"printer", inventory.Attributes{"hostname": "lp1"}, inventory.RawIdentifiers{Hostname: "lp1"}},
		"a value that is not text":      {"computer", inventory.Attributes{"hostname": true}, inventory.RawIdentifiers{}},
		"several MAC addresses":         {"", inventory.Attributes{"mac_address": "a b,c; d/e\tf\n"}, addresses("a", "b", "c", "d", "e", "f")},
		"one MAC address, with hyphens": {"", inventory.Attributes{"mac_address": " 00-11-22-33-44-55 "}, addresses("00-11-22-33-44-55")},
	} {
		if diff := cmp.Diff(c.want, reconcile.IdentifiersOf(c.baseClass, c.attributes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func addresses(list ...string) inventory.RawIdentifiers {
	var ids inventory.RawIdentifiers
	for _, mac := range list {
		ids.Interfaces = append(ids.Interfaces, inventory.InterfaceID{MAC: mac})
	}
	return ids
}

// TestWithIdentifiers: an observation keeps its own identifiers, and has no address twice.
func TestWithIdentifiers(t *testing.T) {
	t.Parallel()
	o := inventory.Observed{
		Attributes: inventory.Attributes{"serial_number": "S2", "uuid": "u", "mac_address": "a b"},
		Identifiers: inventory.RawIdentifiers{
			SerialNumber: "S1", Interfaces: []inventory.InterfaceID{{MAC: "a", Type: "ethernet"}},
		},
	}
	want := inventory.RawIdentifiers{
		SerialNumber: "S1", UUID: "u", Interfaces: []inventory.InterfaceID{{MAC: "a", Type: "ethernet"}, {MAC: "b"}},
	}
	if diff := cmp.Diff(want, reconcile.WithIdentifiers(o, "printer").Identifiers); diff != "" {
		t.Errorf("identifiers (-want +got):\n%s", diff)
	}
}
