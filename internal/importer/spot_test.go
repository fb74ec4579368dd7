package importer_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/edid"
	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// has checks that a section has an item whose JSON contains all of these members.
func has(t *testing.T, d importer.Document, name string, members ...string) {
	t.Helper()
	s := section(d, name)
	if s == nil {
		t.Errorf("no section %s", name)
		return
	}
	if !slices.ContainsFunc(asJSON(s.Items), func(item string) bool {
		return !slices.ContainsFunc(members, func(m string) bool { return !strings.Contains(item, m) })
	}) {
		t.Errorf("no item of %s has all of %v; they are\n%s", name, members, strings.Join(asJSON(s.Items), "\n"))
	}
}

// TestToshiba is a notebook with Fedora, from FusionInventory.
func TestToshiba(t *testing.T) {
	t.Parallel()
	d := one(t, "fusioninventory-xml", load(t, corpus(t, "inventories", "fusioninventory-xml", "1.xml")[0]))
	has(t, d, "system", `"serial_number":"9E113232I"`, `"uuid":"0055adc9-1d3a-e411-8043-b05d95113232"`,
		`"chassis_type":"Notebook"`, `"chassis_type_code":10`, `"board_serial":"C0366791B0E970WU"`, `"asset_tag":"0000000000"`)
	has(t, d, "firmware", `"version":"Version 3.70"`, `"release_date":"07/25/2014"`)
	has(t, d, "memory", `"locator":"DIMM0"`, `"size_bytes":8589934592`, `"speed":1600`)
	has(t, d, "storage", `"size_bytes":250059000000`, `"bus":"sata"`, `"path":"sda"`)
	has(t, d, "network_interface", `"mac":"b8:6b:23:e0:5c:91"`, `"addresses":["192.168.1.103/24"]`,
		`"dns_servers":["172.28.200.20","172.21.201.241","192.168.1.1"]`)
	has(t, d, "display", `"manufacturer_pnp":"CMN"`, `"product_code":4949`, `"year":2013`)
	has(t, d, "os", `"boot_time":"2017-06-08T05:06:47Z"`, `"fqdn":"LF014.ad.crosoft.com"`, `"memory_bytes":8292139008`)
	has(t, d, "software", `"name":"php71-php-process"`, `"install_date":"2017-06-08T00:00:00Z"`, `"size_bytes":92299`)
	xerces := item(t, d, "software", func(s *inventoryv1.Software) bool { return s.Name == "xerces-j2" })
	if xerces.InstallDate != nil {
		t.Errorf("a date of %v out of \"N/A\"", xerces.InstallDate)
	}
}

// TestIMac is a Mac of 2006, from FusionInventory. Its monitor has no numbers.
func TestIMac(t *testing.T) {
	t.Parallel()
	d := one(t, "fusioninventory-xml", load(t, corpus(t, "inventories", "fusioninventory-xml", "3.xml")[0]))
	has(t, d, "system", `"serial_number":"W87051UGVUV"`, `"product_name":"iMac5,1"`)
	has(t, d, "memory", `"serial_number":"0x23225E01"`, `"ordinal":2`)
	has(t, d, "volume", `"mount_point":"/"`, `"fs_type":"Journaled HFS+"`, `"is_system":true`, `"label":"osx106"`)
	has(t, d, "os", `"hostname":"MacBook-de-teclib"`)
	if os := item(t, d, "os", any1[*inventoryv1.OperatingSystem]); os.BootTime != nil {
		t.Errorf("boot time %v, although the file has no time zone", os.BootTime)
	}
	want := []inventory.Component{
		{Class: "monitor", Key: "iMac", Relationship: "connected_to", Attributes: inventory.Attributes{"model": "iMac"},
			Identifiers: inventory.RawIdentifiers{Model: "iMac"}},
	}
	parts := slices.DeleteFunc(slices.Clone(d.Observed.Components), func(p inventory.Component) bool { return p.Class != "monitor" })
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("monitors (-want +got):\n%s", diff)
	}
}

// TestXPS is a notebook with Fedora, from GLPI's JSON.
func TestXPS(t *testing.T) {
	t.Parallel()
	d := one(t, "glpi-json", load(t, corpus(t, "inventories", "glpi-json", "computer_1.json")[0]))
	has(t, d, "system", `"serial_number":"640HP72"`, `"chassis_type_code":9`)
	has(t, d, "cpu", `"cores":2`, `"threads":4`, `"serial_number":"To Be Filled By O.E.M."`)
	has(t, d, "memory", `"locator":"System Board Memory"`, `"serial_number":"12121212"`, `"ordinal":2`)
	has(t, d, "volume", `"mount_point":"/home"`, `"encryption_method":"luks"`, `"total_bytes":126289444864`)
	has(t, d, "display", `"manufacturer_pnp":"SHP"`, `"product_code":5193`, `"week":32`)
	has(t, d, "os", `"boot_time":"2020-06-09T05:58:08Z"`)
	var got []string
	for _, p := range d.Observed.Components {
		got = append(got, p.Class+" "+p.Key)
	}
	if diff := cmp.Diff([]string{"person trasher", "printer MY47L1W1JHEB6"}, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if network := section(d, "network_interface"); len(network.Items) != 4 {
		t.Errorf("%d network interfaces, want 4 of the 8 addresses", len(network.Items))
	}
}

// TestDevicesHaveTheirOwnKeys: a message about devices found by SNMP has only the agent's device
// id.
func TestDevicesHaveTheirOwnKeys(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]struct{ class, key, serial string }{
		"networkequipment_1.json": {"network_device", "mac 8c:60:4f:8d:ae:fc", "SSI1912014B"},
		"printer_1.json":          {"printer", "mac 00:68:eb:f2:be:10", "PHCVN191TG"},
		"phone_1.json":            {"peripheral", "Mi9TPro-TéléphoneM-2019-12-18-14-30-16", "af8d8fcfa6fa4794"},
	} {
		d := one(t, "glpi-json", load(t, corpus(t, "inventories", "glpi-json", file)[0]))
		if d.Observed.Class != want.class || d.NativeKey != want.key || d.Observed.Identifiers.SerialNumber != want.serial || len(d.Sections) > 0 {
			t.Errorf("%s: class %q, key %q, serial %q, %d sections", file, d.Observed.Class, d.NativeKey,
				d.Observed.Identifiers.SerialNumber, len(d.Sections))
		}
	}
	// One printer was found twice, the second time with its ports.
	nexus := one(t, "fusioninventory-xml", load(t, corpus(t, "inventories", "fusioninventory-xml", "7.xml")[0]))
	again := one(t, "glpi-json", load(t, corpus(t, "inventories", "glpi-json", "networkequipment_1.json")[0]))
	if nexus.NativeKey != again.NativeKey {
		t.Errorf("one device has the keys %q and %q", nexus.NativeKey, again.NativeKey)
	}
	if nothing := one(t, "fusioninventory-xml", load(t, corpus(t, "inventories", "fusioninventory-xml", "15.xml")[0])); nothing.Problem == "" {
		t.Error("a device without any field is accepted")
	}
}

func wrap(content string) string {
	return "<REQUEST><DEVICEID>pc-1</DEVICEID><QUERY>INVENTORY</QUERY><CONTENT>" + content + "</CONTENT></REQUEST>"
}

// TestEntries compares entries of the file with the items that they become.
func TestEntries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content, section string
		status                 inventory.Status
		want                   []string
		warnings               int
	}{
		{"a disk is known by its serial number", `<STORAGES><NAME>sda</NAME><SERIALNUMBER>S1</SERIALNUMBER><DISKSIZE>512110</DISKSIZE><TYPE>SSD</TYPE></STORAGES>`,
			"storage", inventory.StatusOK, []string{`{"serial_number":"S1","size_bytes":512110000000,"media_type":"ssd","device":"sda"}`}, 0},
		{"a disk without identifying fields", `<STORAGES><DISKSIZE>1</DISKSIZE></STORAGES>`, "storage", inventory.StatusPartial, nil, 1},
		{"memory as a block device", `<STORAGES><NAME>zram0</NAME></STORAGES>`, "storage", inventory.StatusOK, nil, 1},
		{"one disk twice", `<STORAGES><SERIALNUMBER>S1</SERIALNUMBER><MODEL>M</MODEL></STORAGES><STORAGES><SERIALNUMBER>S1</SERIALNUMBER><MODEL>N</MODEL><FIRMWARE>F</FIRMWARE></STORAGES>`,
			"storage", inventory.StatusOK, []string{`{"serial_number":"S1","model":"M","firmware_revision":"F"}`}, 1},
		{"an invalid size", `<STORAGES><NAME>sda</NAME><DISKSIZE>1e308</DISKSIZE></STORAGES>`, "storage", inventory.StatusOK,
			[]string{`{"path":"sda","device":"sda"}`}, 1},
		{"a size that overflows", `<STORAGES><NAME>sda</NAME><DISKSIZE>99999999999999999999</DISKSIZE></STORAGES>`, "storage", inventory.StatusOK,
			[]string{`{"path":"sda","device":"sda"}`}, 1},
		{"two versions of one program", `<SOFTWARES><NAME>kernel</NAME><VERSION>1</VERSION></SOFTWARES><SOFTWARES><NAME>kernel</NAME><VERSION>2</VERSION></SOFTWARES>`,
			"software", inventory.StatusOK, []string{`{"name":"kernel","version":"1"}`, `{"name":"kernel","version":"2"}`}, 0},
		{"one program twice", `<SOFTWARES><NAME>a</NAME><FROM>deb</FROM></SOFTWARES><SOFTWARES><NAME>a</NAME><FROM>deb</FROM></SOFTWARES>`,
			"software", inventory.StatusOK, []string{`{"source":"dpkg","name":"a"}`}, 0},
		{"a program without a name", `<SOFTWARES><VERSION>1</VERSION></SOFTWARES>`, "software", inventory.StatusPartial, nil, 1},
		{"dates that one of them disambiguates", `<SOFTWARES><NAME>a</NAME><INSTALLDATE>03/04/2020</INSTALLDATE></SOFTWARES><SOFTWARES><NAME>b</NAME><INSTALLDATE>31/12/2019</INSTALLDATE></SOFTWARES>`,
			"software", inventory.StatusOK, []string{`{"name":"a","install_date":"2020-04-03T00:00:00Z"}`, `{"name":"b","install_date":"2019-12-31T00:00:00Z"}`}, 0},
		{"dates that contradict each other", `<SOFTWARES><NAME>a</NAME><INSTALLDATE>12/31/2020</INSTALLDATE></SOFTWARES><SOFTWARES><NAME>b</NAME><INSTALLDATE>31/12/2019</INSTALLDATE></SOFTWARES>` +
			`<SOFTWARES><NAME>c</NAME><INSTALLDATE>03/04/2020</INSTALLDATE></SOFTWARES>`,
			"software", inventory.StatusOK, []string{
				`{"name":"a","install_date":"2020-12-31T00:00:00Z"}`, `{"name":"b","install_date":"2019-12-31T00:00:00Z"}`, `{"name":"c"}`,
			}, 1},
		{"a date with slashes, year first", `<SOFTWARES><NAME>a</NAME><INSTALLDATE>2025/05/24 14:37:46</INSTALLDATE></SOFTWARES>`,
			"software", inventory.StatusOK, []string{`{"name":"a","install_date":"2025-05-24T00:00:00Z"}`}, 0},
		{"a drive of Windows", `<DRIVES><LETTER>C:</LETTER><TYPE>Local Disk</TYPE><FILESYSTEM>NTFS</FILESYSTEM><TOTAL>40959</TOTAL><FREE>0</FREE><VOLUMN>System</VOLUMN><SYSTEMDRIVE>1</SYSTEMDRIVE></DRIVES><DRIVES><LETTER>A:</LETTER><TYPE>Removable Disk</TYPE></DRIVES>`,
			"volume", inventory.StatusOK, []string{`{"mount_point":"C:","fs_type":"NTFS","label":"System","total_bytes":42948624384,"is_system":true,"free_bytes":0}`}, 1},
		{"an interface with two addresses", `<NETWORKS><DESCRIPTION>eth0</DESCRIPTION><MACADDR>AA-BB-CC-00-11-22</MACADDR><IPADDRESS>10.0.0.9</IPADDRESS><IPMASK>255.255.254.0</IPMASK></NETWORKS><NETWORKS><DESCRIPTION>eth0</DESCRIPTION><MACADDR>aa:bb:cc:00:11:22</MACADDR><IPADDRESS6>2001:db8::9</IPADDRESS6><IPMASK6>ffff:ffff:ffff:ffff::</IPMASK6></NETWORKS>`,
			"network_interface", inventory.StatusOK, []string{`{"name":"eth0","mac":"aa:bb:cc:00:11:22","addresses":["10.0.0.9/23","2001:db8::9/64"]}`}, 0},
		{"a mask with holes", `<NETWORKS><DESCRIPTION>eth0</DESCRIPTION><IPADDRESS>10.0.0.9</IPADDRESS><IPMASK>255.0.255.0</IPMASK></NETWORKS>`,
			"network_interface", inventory.StatusPartial, []string{`{"name":"eth0"}`}, 1},
		{"speeds", `<NETWORKS><DESCRIPTION>a</DESCRIPTION><SPEED>1 Gbps</SPEED></NETWORKS><NETWORKS><DESCRIPTION>b</DESCRIPTION><SPEED>-1 Mbps</SPEED></NETWORKS>`,
			"network_interface", inventory.StatusOK, []string{`{"name":"a","speed_mbps":1000}`, `{"name":"b"}`}, 0},
		{"a container is not a virtual machine", `<HARDWARE><VMSYSTEM>Docker</VMSYSTEM></HARDWARE>`, "system", inventory.StatusOK, []string{`{"container_type":"docker"}`}, 0},
		{"a guest", `<HARDWARE><VMSYSTEM>Hyper-V</VMSYSTEM></HARDWARE>`, "system", inventory.StatusOK, []string{`{"is_virtual":true,"hypervisor":"hyperv"}`}, 0},
		{"threads of a core", `<CPUS><NAME>X</NAME><CORE>4</CORE><THREAD>2</THREAD></CPUS>`, "cpu", inventory.StatusOK, []string{`{"socket":0,"model":"X","cores":4}`}, 0},
		{"an empty slot", `<MEMORIES><CAPTION>DIMM0</CAPTION><CAPACITY>No Module Installed</CAPACITY></MEMORIES>`, "memory", inventory.StatusOK,
			[]string{`{"locator":"DIMM0","size_bytes":0}`}, 0},
		{"OCS names the system with the hardware", `<HARDWARE><NAME>pc</NAME><OSNAME>Debian GNU/Linux 12</OSNAME><OSVERSION>12</OSVERSION></HARDWARE>`, "os",
			inventory.StatusOK, []string{`{"name":"Debian GNU/Linux 12","version":"12","display_name":"Debian GNU/Linux 12","hostname":"pc"}`}, 0},
		{"an old agent writes the kernel as the version", `<HARDWARE><OSNAME>Fedora</OSNAME><OSVERSION>4.11.3-200.fc25.x86_64</OSVERSION></HARDWARE>`, "os",
			inventory.StatusOK, []string{`{"name":"Fedora","display_name":"Fedora","kernel":"4.11.3-200.fc25.x86_64"}`}, 0},
		{"no monitor", ``, "display", inventory.StatusOK, nil, 0},
		{"two monitors of one kind", `<MONITORS><SERIAL>1</SERIAL><PORT>HDMI-1</PORT></MONITORS><MONITORS><SERIAL>1</SERIAL><PORT>DP-1</PORT></MONITORS>`, "display",
			inventory.StatusOK, []string{`{"serial_text":"1","port":"HDMI-1","connection":"HDMI-1"}`, `{"serial_text":"1","port":"DP-1","connection":"DP-1"}`}, 0},
		{"a damaged EDID", `<MONITORS><BASE64>AAAA</BASE64><SERIAL>1</SERIAL></MONITORS>`, "display", inventory.StatusOK, []string{`{"serial_text":"1"}`}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := one(t, "ocs-xml", []byte(wrap(c.content)))
			s := section(d, c.section)
			if s == nil {
				t.Fatalf("no section %s; warnings: %v", c.section, d.Warnings)
			}
			if diff := cmp.Diff(c.want, asJSON(s.Items)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if s.Status != c.status || len(d.Warnings) != c.warnings {
				t.Errorf("status %s, want %s; %d warnings, want %d: %v", s.Status, c.status, len(d.Warnings), c.warnings, d.Warnings)
			}
		})
	}
}

// TestPeople: a domain account is one person on all machines, a local one is not.
func TestPeople(t *testing.T) {
	t.Parallel()
	d := one(t, "fusioninventory-xml", []byte(wrap(`<HARDWARE><LASTLOGGEDUSER>John</LASTLOGGEDUSER></HARDWARE>
		<USERS><LOGIN>john</LOGIN><DOMAIN>AD</DOMAIN></USERS><USERS><LOGIN>SYSTEM</LOGIN></USERS><USERS><LOGIN>LAB\eve</LOGIN></USERS><USERS><LOGIN>bob</LOGIN></USERS>`)))
	want := []inventory.Component{
		{Class: "person", Key: `ad\john`, Relationship: "used_by", Inverse: true, Identifiers: inventory.RawIdentifiers{Native: []string{`account:ad\john`}},
			Attributes: inventory.Attributes{"name": "john", "login": "john", "domain": "AD"}},
		{Class: "person", Key: `lab\eve`, Relationship: "used_by", Inverse: true, Identifiers: inventory.RawIdentifiers{Native: []string{`account:lab\eve`}},
			Attributes: inventory.Attributes{"name": "eve", "login": "eve", "domain": "LAB"}},
		{Class: "person", Key: "bob", Relationship: "used_by", Inverse: true, Attributes: inventory.Attributes{"name": "bob", "login": "bob"}},
	}
	if diff := cmp.Diff(want, d.Observed.Components); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
}

// TestGuests: containers have their manager's id, machines a UUID and addresses.
func TestGuests(t *testing.T) {
	t.Parallel()
	d := one(t, "glpi-json", []byte(`{"deviceid":"h","content":{"virtualmachines":[
		{"name":"web","uuid":"C37F7CE8-AF95-4676-B454-0959F2C5E162","subsystem":"kvm","vmtype":"libvirt","mac":"52:54:00:00:00:01/52:54:00:00:00:02"},
		{"name":"db","uuid":"7e64b4b09941","vmtype":"docker"}]}}`))
	want := []inventory.Component{
		{Class: "virtual_machine", Key: "C37F7CE8-AF95-4676-B454-0959F2C5E162", Relationship: "hosted_on",
			Attributes: inventory.Attributes{"name": "web", "uuid": "c37f7ce8-af95-4676-b454-0959f2c5e162", "hypervisor": "kvm"},
			Identifiers: inventory.RawIdentifiers{UUID: "C37F7CE8-AF95-4676-B454-0959F2C5E162", Virtual: true, Interfaces: []inventory.InterfaceID{
				{MAC: "52:54:00:00:00:01", Type: "ethernet"}, {MAC: "52:54:00:00:00:02", Type: "ethernet"}}}},
		{Class: "container", Key: "7e64b4b09941", Relationship: "hosted_on",
			Attributes:  inventory.Attributes{"name": "db", "container_type": "docker"},
			Identifiers: inventory.RawIdentifiers{Virtual: true, Container: "docker", Native: []string{"docker:7e64b4b09941"}}},
	}
	if diff := cmp.Diff(want, d.Observed.Components); diff != "" {
		t.Errorf("guests (-want +got):\n%s", diff)
	}
}

// TestDialectsAgree: XML and JSON with different field names become the same item.
func TestDialectsAgree(t *testing.T) {
	t.Parallel()
	xml := one(t, "fusioninventory-xml", []byte(wrap(`<CPUS><NAME>X</NAME><CORE>2</CORE></CPUS><SOFTWARES><NAME>a</NAME><ARCH>all</ARCH><INSTALLDATE>2020-01-02</INSTALLDATE></SOFTWARES>`)))
	ocs := one(t, "ocs-xml", []byte(wrap(`<CPUS><TYPE>X</TYPE><CORES>2</CORES></CPUS><SOFTWARES><NAME>a</NAME><ARCHITECTURE>all</ARCHITECTURE><INSTALLDATE>2020/01/02 00:00:00</INSTALLDATE></SOFTWARES>`)))
	glpi := one(t, "glpi-json", []byte(`{"deviceid":"pc-1","content":{"cpus":[{"name":"X","core":2}],"softwares":[{"name":"a","arch":"all","install_date":"2020-01-02"}]}}`))
	for _, other := range []importer.Document{ocs, glpi} {
		for i, s := range xml.Sections {
			if !slices.EqualFunc(s.Items, other.Sections[i].Items, proto.Equal) {
				t.Errorf("%s: %s has %v, want %v", s.Name, other.Source, asJSON(other.Sections[i].Items), asJSON(s.Items))
			}
		}
	}
}

// TestDisplayIsThatOfTheAgent: a display that other tools report has the same key as when the agent
// reports it, also if its EDID has a wrong checksum or its text has bytes that are not ASCII.
func TestDisplayIsThatOfTheAgent(t *testing.T) {
	t.Parallel()
	block := make([]byte, 128)
	copy(block, "\x00\xff\xff\xff\xff\xff\xff\x00\x10\xac\x34\x12\x01\x02\x03\x04\x05\x1e")
	copy(block[54:], "\x00\x00\x00\xff\x00caf\xe9 1\n     ")
	want, err := edid.Item(block)
	if err != nil {
		t.Fatal(err)
	}
	d := one(t, "ocs-xml", []byte(wrap(`<MONITORS><SERIAL>other</SERIAL><BASE64>`+base64.StdEncoding.EncodeToString(block)+`</BASE64></MONITORS>`)))
	s := section(d, "display")
	if s == nil || len(s.Items) != 1 || !proto.Equal(s.Items[0], want) {
		t.Errorf("got %v, want %v; warnings: %v", s, want, d.Warnings)
	}
}
