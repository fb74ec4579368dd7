package reconcile_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// TestJoin: values of the sections take precedence, and nothing that only the other observation has
// is lost.
func TestJoin(t *testing.T) {
	t.Parallel()
	component := func(class, key, name string) inventory.Component {
		return inventory.Component{Class: class, Key: key, Attributes: inventory.Attributes{"name": name}}
	}
	sections := inventory.Observed{
		Class:      "computer",
		Attributes: inventory.Attributes{"model": "T14", "hostname": "pc-1"},
		Identifiers: inventory.RawIdentifiers{
			SerialNumber: "PF-1", Hostname: "pc-1", Virtual: true, Interfaces: []inventory.InterfaceID{{MAC: "00:11:22:33:44:55"}},
		},
		Components: []inventory.Component{component("monitor", "m1", "as the section has it")},
	}
	also := inventory.Observed{
		Class:      "laptop",
		Partial:    true,
		Attributes: inventory.Attributes{"model": "20W0", "asset_tag": "A-7"},
		Identifiers: inventory.RawIdentifiers{
			SerialNumber: "PF-2", UUID: "u", Interfaces: []inventory.InterfaceID{{MAC: "00:11:22:33:44:66"}}, Native: []string{"glpi:7"},
		},
		Components: []inventory.Component{component("monitor", "m1", "as the rest has it"), component("printer", "m1", "another class")},
	}
	want := inventory.Observed{
		Class:      "laptop", // the more specific one
		Partial:    true,
		Attributes: inventory.Attributes{"model": "T14", "hostname": "pc-1", "asset_tag": "A-7"},
		Identifiers: inventory.RawIdentifiers{
			SerialNumber: "PF-1", UUID: "u", Hostname: "pc-1", Virtual: true, Native: []string{"glpi:7"},
			Interfaces: []inventory.InterfaceID{{MAC: "00:11:22:33:44:55"}, {MAC: "00:11:22:33:44:66"}},
		},
		Components: []inventory.Component{component("monitor", "m1", "as the section has it"), component("printer", "m1", "another class")},
	}
	if diff := cmp.Diff(want, reconcile.Join(sections, also)); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
	if got := sections.Attributes["asset_tag"]; got != nil || len(sections.Components) != 1 {
		t.Errorf("what was joined changed: %v, %d components", got, len(sections.Components))
	}
	sections.Class = "virtual_machine"
	if got := reconcile.Join(sections, also).Class; got != "virtual_machine" {
		t.Errorf("class %s, want that of the sections, which say more than computer", got)
	}
}

// TestJoinKeepsEveryIdentifier: an identifier of either side is in the joined ones, also one that
// is added to RawIdentifiers later.
func TestJoinKeepsEveryIdentifier(t *testing.T) {
	t.Parallel()
	fields := reflect.TypeFor[inventory.RawIdentifiers]()
	for i := range fields.NumField() {
		var ids inventory.RawIdentifiers
		switch field := reflect.ValueOf(&ids).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Bool:
			field.SetBool(true)
		default:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		}
		one, none := inventory.Observed{Identifiers: ids}, inventory.Observed{}
		for _, joined := range []inventory.Observed{reconcile.Join(one, none), reconcile.Join(none, one)} {
			if diff := cmp.Diff(ids, joined.Identifiers); diff != "" {
				t.Errorf("%s (-want +got):\n%s", fields.Field(i).Name, diff)
			}
		}
	}
}
