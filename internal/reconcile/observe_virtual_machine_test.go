package reconcile_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

func TestObserveVirtualMachines(t *testing.T) {
	t.Parallel()
	const (
		host, web   = "4c4c4544-0030-4a10-8048-c4c04f000001", "c7a5fdbd-cdaf-9455-926a-d65c16db1809"
		placeholder = "00000000-0000-0000-0000-000000000001"
	)
	guest := func(key string, attributes inventory.Attributes, uuid string, macs ...string) inventory.Component {
		ids := inventory.RawIdentifiers{UUID: uuid, Virtual: true}
		for _, mac := range macs {
			ids.Interfaces = append(ids.Interfaces, inventory.InterfaceID{MAC: mac, Type: "ethernet"})
		}
		return inventory.Component{Class: "virtual_machine", Key: key, Attributes: attributes, Identifiers: ids, Relationship: "hosted_on"}
	}
	for _, c := range []struct {
		name   string
		system string
		guests []string
		want   []inventory.Component
	}{
		{"none", "", nil, nil},
		{"with all facts, of which the state is not an attribute", `"uuid":"` + host + `"`,
			[]string{`{"uuid":"` + web + `","name":"web","kind":"kvm","manager":"libvirt","state":"running","cpus":2,"memory_bytes":67108864,
				"macs":["52:54:00:6b:3c:58","bc:24:11:62:a4:d8"],"config_path":"/etc/libvirt/qemu/web.xml"}`},
			[]inventory.Component{guest(web+"||", inventory.Attributes{"name": "web", "hypervisor": "kvm", "uuid": web}, web, "52:54:00:6b:3c:58", "bc:24:11:62:a4:d8")}},
		{"on a virtual machine, and on a container", `"is_virtual":true,"container_type":"lxc"`, []string{`{"uuid":"` + web + `"}`},
			[]inventory.Component{guest(web+"||", inventory.Attributes{"uuid": web}, web)}},
		{"whose guest sees another UUID", "", []string{`{"uuid":"` + host + `","firmware_uuid":"` + web + `"}`},
			[]inventory.Component{guest(host+"||", inventory.Attributes{"uuid": web}, web)}},
		{"whose UUID is a placeholder, which identify rejects", "", []string{`{"uuid":"` + placeholder + `","name":"a"}`},
			[]inventory.Component{guest(placeholder+"||", inventory.Attributes{"name": "a"}, placeholder)}},
		{"without a UUID", "", []string{`{"id":"100","name":"web","kind":"kvm"}`},
			[]inventory.Component{guest("|100|", inventory.Attributes{"name": "web", "hypervisor": "kvm"}, "")}},
		{"without anything", "", []string{`{"ordinal":1,"kind":"qemu"}`}, nil},
		{"with the UUID of their host", `"uuid":"4C4C4544-0030-4A10-8048-C4C04F000001"`, []string{`{"uuid":"` + host + `","name":"a"}`},
			[]inventory.Component{guest(host+"||", inventory.Attributes{"name": "a"}, "")}},
		{"of one UUID", "", []string{`{"uuid":"` + web + `","ordinal":1,"name":"a"}`, `{"uuid":"` + web + `","ordinal":2,"name":"b"}`},
			[]inventory.Component{guest(web+"||1", inventory.Attributes{"name": "a"}, ""), guest(web+"||2", inventory.Attributes{"name": "b"}, "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Observe(map[string][]json.RawMessage{"system": items("{" + c.system + "}"), "virtual_machine": items(c.guests...)}, honest).Components
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}
