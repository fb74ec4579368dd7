package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestDeviceItems(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["cpu"] = part{inventory.StatusOK, []proto.Message{
		&inventoryv1.Cpu{Socket: proto.Uint32(10), Model: "last", CurrentMhz: proto.Uint32(800)},
		&inventoryv1.Cpu{Socket: proto.Uint32(2), Model: "middle"},
		&inventoryv1.Cpu{Socket: proto.Uint32(0), Model: "first"},
	}}
	parts["memory"] = software() // collected, and there is none
	parts["network_interface"] = part{inventory.StatusOK, []proto.Message{
		&inventoryv1.NetworkInterface{Name: "eth0", Addresses: []string{"10.0.0.1/8", "=1+1"}, SpeedMbps: proto.Uint32(1000)},
	}}
	m.report(t, parts)
	path := "/api/v1/devices/" + m.device + "/sections/"

	for section, want := range map[string]string{
		"cpu":               `[{"socket":0,"model":"first"},{"socket":2,"model":"middle"},{"socket":10,"model":"last","current_mhz":800}]`,
		"memory":            `[]`,
		"display":           `[]`,
		"network_interface": `[{"name":"eth0","addresses":["10.0.0.1/8","=1+1"],"speed_mbps":1000}]`,
	} {
		got, err := json.Marshal(items[Item](t, e, path+section))
		check(t, err)
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", section, got, want)
		}
	}

	got := string(e.get(t, path+"network_interface?format=csv").body)
	want := "name,mac,permanent_mac,type,mtu,is_virtual,driver,addresses,gateways,dns_servers,speed_mbps,duplex,state,gateway_macs\r\n" +
		"eth0,,,,,,,10.0.0.1/8; '=1+1,,,1000,,,\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}

	missing := e.do(t, http.MethodGet, path+"memmory", "", nil)
	if missing.status != http.StatusNotFound || !strings.Contains(string(missing.body), "memory, storage") {
		t.Errorf("an unknown section: %d %s", missing.status, missing.body)
	}
	none := e.do(t, http.MethodGet, "/api/v1/devices/0193ab00-0000-7000-8000-000000000000/sections/cpu", "", nil)
	if none.status != http.StatusNotFound {
		t.Errorf("an unknown device: %d", none.status)
	}
}

// The names of ids can change with the collector's database of them, so only answers about now have
// them.
func TestNamesOfIDs(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["gpu"] = part{inventory.StatusOK, []proto.Message{&inventoryv1.Gpu{BusPath: "0000:00:02.0", VendorId: "8086"}}}
	m.report(t, parts)
	path := "/api/v1/devices/" + m.device + "/sections/gpu"

	for query, want := range map[string]string{
		"": `[{"bus_path":"0000:00:02.0","vendor_id":"8086","vendor_name":"Intel Corporation"}]`,
		"?as_of=" + time.Now().UTC().Format(time.RFC3339Nano): `[{"bus_path":"0000:00:02.0","vendor_id":"8086"}]`,
	} {
		got, err := json.Marshal(items[Item](t, e, path+query))
		check(t, err)
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	if table := string(e.get(t, path+"?format=csv").body); !strings.Contains(table, ",vendor_name\r\n") ||
		!strings.HasSuffix(table, ",Intel Corporation\r\n") {
		t.Errorf("CSV: %s", table)
	}
}

func TestDeviceSoftware(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	bash := debian("bash", "5.2")
	bash.InstallDate = timestamppb.New(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
	parts := computer("alpha")
	parts["software"] = software(debian("zsh", "5.9"), bash)
	m.report(t, parts)

	type row struct {
		SoftwareID  int32 `json:"software_id"`
		Name        string
		InstallDate string `json:"install_date"`
	}
	got := items[row](t, e, "/api/v1/devices/"+m.device+"/software")
	if len(got) != 2 || got[0].Name != "bash" || got[1].Name != "zsh" {
		t.Fatalf("software = %+v, want bash and zsh", got)
	}
	if got[0].InstallDate != "2024-03-01T00:00:00Z" || got[1].InstallDate != "" {
		t.Errorf("readings = %+v", got)
	}
	titles := items[inventory.Software](t, e, "/api/v1/software?search=bash")
	if len(titles) != 1 || titles[0].ID != got[0].SoftwareID {
		t.Errorf("software_id is %d, the software is %+v", got[0].SoftwareID, titles)
	}
	csv := string(e.get(t, "/api/v1/devices/"+m.device+"/software?format=csv").body)
	if !strings.HasPrefix(csv, "software_id,source,name,") {
		t.Errorf("CSV begins %.60q", csv)
	}
}

// TestReadingsAreOfTheirTime: of readings only the latest are known, so that earlier instants have
// none.
func TestReadingsAreOfTheirTime(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	volume := func(free uint64) map[string]part {
		parts := computer("alpha")
		parts["volume"] = part{inventory.StatusOK, []proto.Message{
			&inventoryv1.Volume{MountPoint: "/", FsType: "ext4", FreeBytes: proto.Uint64(free)},
		}}
		return parts
	}
	before := e.now(t)
	m.report(t, volume(7))
	after := e.now(t)
	path := "/api/v1/devices/" + m.device + "/sections/volume?"
	for query, want := range map[string]string{
		"":          `[{"mount_point":"/","fs_type":"ext4","free_bytes":7}]`,
		asOf(after): `[{"mount_point":"/","fs_type":"ext4"}]`, // it may be another by now
	} {
		got, err := json.Marshal(items[Item](t, e, path+query))
		check(t, err)
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	if a := e.do(t, http.MethodGet, path+asOf(before), "", nil); a.status != http.StatusNotFound {
		t.Errorf("before the device was known: %d", a.status)
	}
}

func TestDeviceSections(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["software"] = software(debian("bash", "5.2"), debian("bell\x07", "1"))
	parts["display"] = part{status: inventory.StatusUnsupported}
	m.report(t, parts)
	first := e.now(t)
	parts["software"] = part{status: inventory.StatusDenied}
	m.report(t, parts)

	path := "/api/v1/devices/" + m.device + "/sections"
	find := func(query, name string) inventory.DeviceSection {
		for _, s := range items[inventory.DeviceSection](t, e, path+"?"+query) {
			if s.Name == name {
				return s
			}
		}
		t.Fatalf("%s: no section %s", query, name)
		return inventory.DeviceSection{}
	}
	now := find("", "software")
	if now.Status != inventory.StatusDenied || now.Message != "not today" || now.Items == nil || *now.Items != 2 {
		t.Errorf("software now: %+v, want denied with the 2 items of before", now)
	}
	then := find(asOf(first), "software")
	if then.Status != inventory.StatusOK || then.Message != "" || then.Items == nil || *then.Items != 2 || !then.StatusSince.Before(first) {
		t.Errorf("software then: %+v, want ok with 2 items", then)
	}
	if display := find("", "display"); display.Status != inventory.StatusUnsupported || display.Items != nil {
		t.Errorf("display: %+v, want no items at all", display)
	}
	system := find("", "system")
	if system.DurationMS == nil || *system.DurationMS != 7 {
		t.Errorf("system took %v, want 7 ms", system.DurationMS)
	}
	csv := string(e.get(t, path+"?format=csv").body)
	if !strings.HasPrefix(csv, "name,status,message,status_since,items,changed_at,duration_ms,verdicts\r\ndisplay,unsupported,not today,") {
		t.Errorf("CSV: %s", csv)
	}
}

// TestVerdictsAreShown: an item that was cleaned or rejected is returned with the reason.
func TestVerdictsAreShown(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["software"] = software(debian("bell\x00", "1"), &inventoryv1.Software{Version: "1"})
	m.report(t, parts)
	outcomes := map[string]bool{}
	for _, s := range items[inventory.DeviceSection](t, e, "/api/v1/devices/"+m.device+"/sections") {
		for _, v := range s.Verdicts {
			if v.Reason == "" {
				t.Errorf("a verdict without a reason: %+v", v)
			}
			outcomes[v.Outcome] = true
		}
	}
	if !outcomes[inventory.OutcomeCleaned] || !outcomes[inventory.OutcomeRejected] {
		t.Errorf("outcomes = %v, want one cleaned and one rejected", outcomes)
	}
}
