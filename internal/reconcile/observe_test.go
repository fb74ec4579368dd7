package reconcile_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

// placeholder recognizes the placeholders of the captured machines.
var placeholder = regexp.MustCompile(`(?i)^(default string|to be filled by o\.e\.m\.|none|not (specified|available|settable)|` +
	`no (asset tag|asset information|enclosure)|<bad index>|x+|0+|0*1|01010101|16843009|1?23456789\d*|123456|0123456789|` +
	`pass:qt/|system product name|[0-9a-f]{8}-4455.*|0+-[0-9a-f-]*)$`)

func honest(kind, value string) bool {
	return !placeholder.MatchString(value) && (kind != "serial_number" || len(value) >= 4)
}

func items(list ...string) []json.RawMessage {
	raw := make([]json.RawMessage, len(list))
	for i, text := range list {
		raw[i] = json.RawMessage(text)
	}
	return raw
}

func number(text string) json.Number { return json.Number(text) }

const laptop = `{"manufacturer":"Dell Inc.","product_name":"Latitude 7440","serial_number":"ABC1234","uuid":"4c4c4544-0042-4310-8031-b1c04f323334",
	"chassis_type_code":10,"chassis_type":"Notebook","chassis_manufacturer":"Dell Inc.","chassis_serial":"ABC1234",
	"board_manufacturer":"Dell Inc.","board_serial":"/ABC1234/CNX0/","asset_tag":"Not Specified"}`

func TestObserve(t *testing.T) {
	t.Parallel()
	got := reconcile.Observe(map[string][]json.RawMessage{
		"system": items(laptop),
		"os": items(`{"name":"Debian GNU/Linux","version":"12","display_name":"Debian GNU/Linux 12 (bookworm)","kernel":"6.1.0-18-amd64",
			"arch":"x86_64","install_id":"11112222333344445555666677778888","hostname":"desk-1","fqdn":"desk-1.example.com"}`),
		"network_interface": items(`{"name":"enp0s31f6","mac":"02:00:00:00:00:01","permanent_mac":"c8:f7:50:00:00:01","type":"ethernet","addresses":["192.0.2.7/24"]}`,
			`{"name":"br0","mac":"c8:f7:50:00:00:01","type":"bridge","is_virtual":true}`),
		"storage": items(`{"serial_number":"S5XX1","wwn":"002538","model":"PM9A1","size_bytes":1000204886016,"media_type":"ssd","bus":"nvme","firmware_revision":"36"}`,
			`{"serial_number":"USB1","model":"Stick","bus":"usb"}`, `{"path":"sdc","model":"No name","bus":"sata"}`),
		"display": items(`{"manufacturer_pnp":"AUO","product_code":1,"is_internal":true}`,
			`{"manufacturer_pnp":"DEL","product_code":41003,"serial_number":842091859,"serial_text":"G283H8BI21MS","model":"DELL 2408WFP",
			"week":47,"year":2008,"native_resolution":"1920x1200","width_mm":518,"height_mm":324,"edid_base64":"AP///w=="}`),
	}, honest)
	disk := inventory.DiskID{Model: "PM9A1", SerialNumber: "S5XX1", WWN: "002538", Bus: "nvme"}
	want := inventory.Observed{
		Class: "laptop",
		Attributes: inventory.Attributes{
			"name": "desk-1", "hostname": "desk-1", "fqdn": "desk-1.example.com", "manufacturer": "Dell Inc.", "model": "Latitude 7440",
			"serial_number": "ABC1234", "uuid": "4c4c4544-0042-4310-8031-b1c04f323334", "chassis_type": "Notebook",
			"os_name": "Debian GNU/Linux", "os_version": "12", "kernel": "6.1.0-18-amd64", "arch": "x86_64",
		},
		Identifiers: inventory.RawIdentifiers{
			Manufacturer: "Dell Inc.", Model: "Latitude 7440", SerialNumber: "ABC1234", UUID: "4c4c4544-0042-4310-8031-b1c04f323334",
			BoardManufacturer: "Dell Inc.", BoardSerial: "/ABC1234/CNX0/", ChassisManufacturer: "Dell Inc.", ChassisSerial: "ABC1234",
			Interfaces: []inventory.InterfaceID{
				{MAC: "c8:f7:50:00:00:01", Type: "bridge", Virtual: true},
				{MAC: "02:00:00:00:00:01", Permanent: "c8:f7:50:00:00:01", Type: "ethernet"},
			},
			Disks: []inventory.DiskID{
				{Model: "No name", Bus: "sata"},
				disk,
				{Model: "Stick", SerialNumber: "USB1", Bus: "usb"},
			},
			OSInstallID: "11112222333344445555666677778888", Hostname: "desk-1", FQDN: "desk-1.example.com",
		},
		Components: []inventory.Component{
			{
				Class: "monitor", Key: "DEL|41003|842091859|G283H8BI21MS|", Relationship: "connected_to",
				Attributes: inventory.Attributes{
					"manufacturer": "DEL", "model": "DELL 2408WFP", "serial_number": "G283H8BI21MS", "product_code": number("41003"),
					"manufactured_week": number("47"), "manufactured_year": number("2008"), "native_resolution": "1920x1200",
					"width_mm": number("518"), "height_mm": number("324"),
				},
				Identifiers: inventory.RawIdentifiers{
					Manufacturer: "DEL", Model: "41003", SerialNumber: "G283H8BI21MS", UnitNumber: "842091859",
				},
			},
			{
				Class: "operating_system_installation", Key: "os", Relationship: "installed_on",
				Attributes: inventory.Attributes{
					"name": "Debian GNU/Linux 12 (bookworm)", "os_name": "Debian GNU/Linux", "os_version": "12",
					"kernel": "6.1.0-18-amd64", "arch": "x86_64", "install_id": "11112222333344445555666677778888",
				},
				Identifiers: inventory.RawIdentifiers{OSInstallID: "11112222333344445555666677778888"},
			},
			{
				Class: "storage_device", Key: "S5XX1|002538", Relationship: "contains", Inverse: true,
				Attributes: inventory.Attributes{
					"model": "PM9A1", "serial_number": "S5XX1", "wwn": "002538", "size_bytes": number("1000204886016"),
					"media_type": "ssd", "bus": "nvme", "firmware_revision": "36",
				},
				Identifiers: inventory.RawIdentifiers{Model: "PM9A1", SerialNumber: "S5XX1", Disks: []inventory.DiskID{disk}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}

// observeSystem returns what the sections system and os alone say.
func observeSystem(system, os string) inventory.Observed {
	return reconcile.Observe(map[string][]json.RawMessage{"system": items(system), "os": items(os)}, honest)
}

func TestObserveMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		system, os string
		class      string
		want       inventory.Attributes
	}{
		{"nothing known", `{}`, `{}`, "computer", inventory.Attributes{}},
		{"facts that cannot be read", `{"serial_number":7,"manufacturer":"Acme"}`, `no JSON`, "computer", inventory.Attributes{"manufacturer": "Acme"}},
		{"virtual machine in a tower", `{"is_virtual":true,"chassis_type_code":7,"hypervisor":"kvm"}`, `{}`, "virtual_machine",
			inventory.Attributes{"hypervisor": "kvm"}},
		{"no virtual machine", `{"is_virtual":false,"chassis_type_code":7}`, `{}`, "desktop", inventory.Attributes{}},
		{"container on a virtual machine: its host's hardware is not its own",
			`{"is_virtual":true,"container_type":"docker","hypervisor":"kvm","manufacturer":"QEMU","serial_number":"S-4711","uuid":"0677d5cc-25b1-11b2-a85c-c66e0b64b3d5"}`,
			`{"hostname":"web"}`, "container", inventory.Attributes{"container_type": "docker", "name": "web", "hostname": "web"}},
		{"rack server", `{"chassis_type_code":23}`, `{}`, "server", inventory.Attributes{}},
		{"chassis of unknown type", `{"chassis_type_code":2,"chassis_type":"Unknown"}`, `{}`, "computer", inventory.Attributes{"chassis_type": "Unknown"}},
		{"chassis without a code", `{"chassis_type":"All in One"}`, `{}`, "desktop", inventory.Attributes{"chassis_type": "All in One"}},
		{"the code counts, not the name", `{"chassis_type_code":1,"chassis_type":"Notebook"}`, `{}`, "computer", inventory.Attributes{"chassis_type": "Notebook"}},
		{"placeholders", `{"manufacturer":"To Be Filled By O.E.M.","product_name":"System Product Name","serial_number":"Default string","asset_tag":"No Asset Tag"}`,
			`{}`, "computer", inventory.Attributes{}},
		{"service tag in the chassis only", `{"manufacturer":"Dell Inc.","serial_number":"None","chassis_manufacturer":"Dell Inc.","chassis_serial":"7KNZBH2"}`,
			`{}`, "computer", inventory.Attributes{"manufacturer": "Dell Inc.", "serial_number": "7KNZBH2"}},
		{"chassis of another maker", `{"manufacturer":"Dell Inc.","chassis_manufacturer":"Acme","chassis_serial":"7KNZBH2"}`,
			`{}`, "computer", inventory.Attributes{"manufacturer": "Dell Inc."}},
		{"a chassis serial that is no service tag", `{"manufacturer":"Acme","chassis_manufacturer":"Acme","chassis_serial":"7KNZBH2"}`,
			`{}`, "computer", inventory.Attributes{"manufacturer": "Acme"}},
		{"spaces", `{"manufacturer":" Acme  ","serial_number":"   "}`, `{}`, "computer", inventory.Attributes{"manufacturer": "Acme"}},
		{"edition and build", `{}`, `{"edition":"Professional","build":"22631"}`, "computer",
			inventory.Attributes{"os_edition": "Professional", "os_build": "22631"}},
		{"long name, cut between characters", `{}`, `{"hostname":"` + strings.Repeat("x", 254) + `é"}`, "computer",
			inventory.Attributes{"name": strings.Repeat("x", 254), "hostname": strings.Repeat("x", 254)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := observeSystem(c.system, c.os)
			if got.Class != c.class {
				t.Errorf("class %s, want %s", got.Class, c.class)
			}
			if diff := cmp.Diff(c.want, got.Attributes); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestObserveIdentifiersRaw: placeholders are identify's to reject, so that it can say so.
func TestObserveIdentifiersRaw(t *testing.T) {
	t.Parallel()
	got := observeSystem(`{"manufacturer":"None","serial_number":" Default string ","container_type":"lxc","is_virtual":true}`, `{}`).Identifiers
	want := inventory.RawIdentifiers{Manufacturer: "None", SerialNumber: " Default string ", Container: "lxc", Virtual: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identifiers (-want +got):\n%s", diff)
	}
}

func TestObserveComponents(t *testing.T) {
	t.Parallel()
	const disk, screen = `{"serial_number":"SER1","bus":"sata"}`, `{"manufacturer_pnp":"DEL","product_code":1}`
	for _, c := range []struct {
		name                   string
		system, storage, other string
		want                   []string
	}{
		{"a disk and a monitor", `{}`, disk, screen, []string{"monitor DEL|1|||", "storage_device SER1|"}},
		{"of a virtual machine none is real", `{"is_virtual":true}`, disk, screen, nil},
		{"of a container none is its own", `{"container_type":"lxc"}`, disk, screen, nil},
		{"disk with a WWN only", `{}`, `{"wwn":"5002538","bus":"sata"}`, `{}`, []string{"storage_device |5002538"}},
		{"disk with a placeholder only", `{}`, `{"serial_number":"None","bus":"sata"}`, `{}`, nil},
		{"disk with a placeholder and a WWN", `{}`, `{"serial_number":"None","wwn":"5002538","bus":"sata"}`, `{}`, []string{"storage_device None|5002538"}},
		{"removable disk", `{}`, `{"serial_number":"SER1","removable":true,"bus":"mmc"}`, `{}`, nil},
		{"optical drive", `{}`, `{"serial_number":"SER1","media_type":"optical","bus":"sata"}`, `{}`, nil},
		{"disk on a network", `{}`, `{"serial_number":"SER1","bus":"iscsi"}`, `{}`, nil},
		{"virtio disk", `{}`, `{"serial_number":"SER1","bus":"virtio"}`, `{}`, nil},
		{"disk that a hypervisor made", `{}`, `{"serial_number":"SER1","bus":"sata","model":"QEMU HARDDISK"}`, `{}`, nil},
		{"monitor without facts", `{}`, `{}`, `{"native_resolution":"800x600"}`, nil},
		{"monitor that another equals", `{}`, `{}`, `{"manufacturer_pnp":"DEL","product_code":1,"port":"DP-1"}`, []string{"monitor DEL|1|||DP-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reconcile.Observe(map[string][]json.RawMessage{
				"system": items(c.system), "storage": items(c.storage), "display": items(c.other, c.other),
			}, honest)
			var keys []string
			for _, part := range got.Components {
				keys = append(keys, part.Class+" "+part.Key)
			}
			if diff := cmp.Diff(c.want, keys); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObserveMonitorSerial(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, display    string
		attribute        any
		identifierSerial string
	}{
		{"text before number", `{"manufacturer_pnp":"DEL","serial_number":842091859,"serial_text":"G283H8BI21MS"}`, "G283H8BI21MS", "G283H8BI21MS"},
		{"number alone", `{"manufacturer_pnp":"DEL","serial_number":842091859}`, "842091859", "842091859"},
		{"number beside a placeholder", `{"manufacturer_pnp":"HSG","serial_number":842091859,"serial_text":"1234567890123"}`, "842091859", "842091859"},
		{"two placeholders", `{"manufacturer_pnp":"HSG","serial_number":16843009,"serial_text":"1234567890123"}`, nil, "1234567890123"},
		{"a placeholder", `{"manufacturer_pnp":"GSM","serial_number":16843009}`, nil, "16843009"},
		{"none", `{"manufacturer_pnp":"GSM"}`, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			part := reconcile.Observe(map[string][]json.RawMessage{"display": items(c.display)}, honest).Components[0]
			if got := part.Attributes["serial_number"]; got != c.attribute {
				t.Errorf("attribute %v, want %v", got, c.attribute)
			}
			if got := part.Identifiers.SerialNumber; got != c.identifierSerial {
				t.Errorf("identifier %q, want %q", got, c.identifierSerial)
			}
		})
	}
}

func TestObserveInstallationName(t *testing.T) {
	t.Parallel()
	for os, want := range map[string]any{
		`{"name":"Arch Linux"}`:                                    "Arch Linux",
		`{"name":"Alpine Linux","version":"3.20"}`:                 "Alpine Linux 3.20",
		`{"name":"Debian","version":"12","display_name":"Deb 12"}`: "Deb 12",
		`{"install_id":"x"}`:                                       nil,
	} {
		if got := observeSystem(`{}`, os).Components[0].Attributes["name"]; got != want {
			t.Errorf("%s: name %v, want %v", os, got, want)
		}
	}
	if got := observeSystem(`{}`, `{"hostname":"desk-1"}`).Components; got != nil {
		t.Errorf("an installation of which nothing is known is a part: %v", got)
	}
}

// TestObserveProperties: whatever the items say, their order means nothing, texts are bounded and
// valid, and no placeholder is an attribute.
func TestObserveProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sections := map[string][]json.RawMessage{}
		for _, section := range reconcile.Sections() {
			sections[section] = rapid.SliceOfN(item(), 0, 4).Draw(t, section)
		}
		for _, single := range []string{"system", "os"} {
			sections[single] = sections[single][:min(1, len(sections[single]))]
		}
		got := reconcile.Observe(sections, honest)
		for section, list := range sections {
			sections[section] = rapid.Permutation(list).Draw(t, section+" in another order")
		}
		if diff := cmp.Diff(got, reconcile.Observe(sections, honest)); diff != "" {
			t.Errorf("another order of items (-one +other):\n%s", diff)
		}
		checkAttributes(t, got.Attributes)
		for _, part := range got.Components {
			checkAttributes(t, part.Attributes)
			if len(part.Key) > 255 {
				t.Errorf("a key of %d bytes", len(part.Key))
			}
		}
	})
}

func checkAttributes(t *rapid.T, attributes inventory.Attributes) {
	for name, value := range attributes {
		text, isText := value.(string)
		if isText && (text == "" || len(text) > 255 || !utf8.ValidString(text)) {
			t.Errorf("%s is %q", name, text)
		}
		switch name {
		case "manufacturer", "model", "serial_number", "uuid", "asset_tag":
			if !honest(name, text) {
				t.Errorf("%s is a placeholder: %s", name, text)
			}
		}
	}
}

// item makes facts of any section, with the fields that matter and values that are hard.
func item() *rapid.Generator[json.RawMessage] {
	texts := []string{"manufacturer", "product_name", "serial_number", "uuid", "asset_tag", "chassis_manufacturer", "chassis_serial",
		"hostname", "name", "display_name", "install_id", "mac", "wwn", "model", "vendor", "bus", "serial_text", "manufacturer_pnp", "port",
		"domain", "full_name", "is_primary", "addresses", "gateways", "gateway_macs", "id", "ordinal", "kind", "macs", "firmware_uuid"}
	value := rapid.OneOf(
		rapid.Just[any]("Dell Inc."), rapid.Just[any]("None"), rapid.Just[any](" "), rapid.Just[any](strings.Repeat("é", 200)),
		rapid.Just[any](true), rapid.Just[any]([]string{"192.0.2.7/24"}), rapid.Just[any]([]string{"2001:db8::1/64", "192.0.2.1", ""}),
		rapid.Just[any](nil), rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Uint32(), func(n uint32) any { return n }))
	return rapid.Custom(func(t *rapid.T) json.RawMessage {
		text, err := json.Marshal(rapid.MapOfN(rapid.SampledFrom(texts), value, 0, 8).Draw(t, "fields"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	})
}
