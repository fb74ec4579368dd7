package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestDeviceChanges(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	win := func(version string) *inventoryv1.Software {
		return &inventoryv1.Software{Source: "registry", Name: "Editor", Version: version}
	}
	parts := computer("alpha")
	parts["software"] = software(debian("bash", "5.2.15-2"), debian("nano", "7.2-1"), debian("zsh", "5.9-4"), win("1"))
	m.report(t, parts)
	if got := items[Change](t, e, "/api/v1/devices/"+m.device+"/changes"); len(got) != 0 {
		t.Errorf("the first inventory is no change: %+v", got)
	}
	first := e.now(t)
	parts["software"] = software(debian("bash", "5.2.15-2+b7"), debian("zsh", "5.8-1"), debian("vim", "9.0-1"), win("2"))
	m.report(t, parts)
	second := e.now(t)
	parts["memory"] = part{inventory.StatusOK, []proto.Message{&inventoryv1.Memory{Locator: "DIMM 0", Bank: "A"}}}
	m.report(t, parts)
	parts["memory"] = part{inventory.StatusOK, []proto.Message{
		&inventoryv1.Memory{Locator: "DIMM 0", Bank: "A", SizeBytes: proto.Uint64(8 << 30)}, &inventoryv1.Memory{Locator: "DIMM 1"},
	}}
	parts["os"] = part{inventory.StatusOK, []proto.Message{&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Version: "13"}}}
	m.report(t, parts)

	words := func(query string) []string {
		var list []string
		for _, c := range items[Change](t, e, "/api/v1/devices/"+m.device+"/changes?"+query) {
			list = append(list, strings.TrimSpace(c.Section+": "+c.Action+" "+c.Item+" "+strings.Trim(c.OldVersion+" "+c.NewVersion, " ")))
		}
		return list
	}
	upgrades := []string{
		"software: changed registry Editor 1 2",
		"software: downgraded dpkg zsh amd64 5.9-4 5.8-1",
		"software: installed dpkg vim amd64 9.0-1",
		"software: removed dpkg nano amd64 7.2-1",
		"software: upgraded dpkg bash amd64 5.2.15-2 5.2.15-2+b7",
	}
	hardware := []string{"memory: added DIMM 1", "memory: changed DIMM 0 A", "os: changed os"}
	at := func(name string, at time.Time) string {
		return name + "=" + url.QueryEscape(at.Format(time.RFC3339Nano))
	}
	for query, want := range map[string][]string{
		"section=software":                 upgrades,
		"section=memory":                   hardware[:2],
		at("since", second):                hardware,
		at("until", second):                upgrades,
		asOf(second):                       upgrades,
		asOf(first):                        nil,
		at("since", first) + "&section=os": hardware[2:],
		at("until", first):                 nil,
		"section=display":                  nil,
	} {
		if diff := cmp.Diff(want, sorted(words(query))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	all := items[Change](t, e, "/api/v1/devices/"+m.device+"/changes")
	if len(all) != 8 || all[0].At.Before(all[7].At) {
		t.Errorf("the newest is not first: %v … %v of %d", all[0].At, all[len(all)-1].At, len(all))
	}
	half := words(at("since", all[7].At) + "&" + at("until", all[0].At))
	if diff := cmp.Diff(upgrades, sorted(half)); diff != "" {
		t.Errorf("[since, until) (-want +got):\n%s", diff)
	}
	if a := e.do(t, http.MethodGet, "/api/v1/devices/"+m.device+"/changes?section=nothing", "", nil); a.status != http.StatusNotFound {
		t.Errorf("an unknown section: %d", a.status)
	}
	csv := string(e.get(t, "/api/v1/devices/"+m.device+"/changes?section=os&format=csv").body)
	want := `,os,changed,os,,,,"{""name"":""Debian GNU/Linux"",""version"":""12"",""hostname"":""alpha""}","{""name"":""Debian GNU/Linux"",""version"":""13""}"` + "\r\n"
	if !strings.HasSuffix(csv, want) {
		t.Errorf("CSV: %s", csv)
	}
}

func TestSoftwareCount(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	one, two := e.newMachine(t), e.newMachine(t)
	parts := computer("one")
	parts["software"] = software(debian("bash", "5.2"), &inventoryv1.Software{
		Source: "dpkg", Name: "bash", Version: "5.2", Arch: "i386", Publisher: "Debian",
	})
	one.report(t, parts)
	then := e.now(t)
	parts = computer("two")
	parts["software"] = software(debian("bash", "5.2"))
	two.report(t, parts)

	var got inventory.Software
	for range 2 { // once pending, once folded
		list := items[inventory.Software](t, e, "/api/v1/software")
		if len(list) != 1 || list[0].InstallCount != 3 || list[0].Publisher != "Debian" || list[0].Source != "dpkg" {
			t.Fatalf("software = %+v, want bash three times", list)
		}
		e.get(t, path("software", list[0].ID)+"?"+asOf(then)).decode(t, &got)
		if got.InstallCount != 2 {
			t.Errorf("then: %d, want 2", got.InstallCount)
		}
		if n := names(items[inventory.Device](t, e, path("software", got.ID)+"/devices")); n != "one two" {
			t.Errorf("who has it: %s", n)
		}
		if n := names(items[inventory.Device](t, e, path("software", got.ID)+"/devices?"+asOf(then))); n != "one" {
			t.Errorf("who had it: %s", n)
		}
		_, err := e.store.FoldCounts(t.Context(), true)
		check(t, err)
	}

	for _, m := range []*machine{one, two} {
		m.report(t, map[string]part{"software": software()})
	}
	if list := items[inventory.Software](t, e, "/api/v1/software"); len(list) != 0 {
		t.Errorf("nobody has it any more: %+v", list)
	}
	if list := items[inventory.Software](t, e, "/api/v1/software?include_uninstalled=true"); len(list) != 1 || list[0].InstallCount != 0 {
		t.Errorf("all that ever was: %+v", list)
	}
	for query, want := range map[string]int{
		"search=BASH": 1, "search=debian": 1, "search=deb+as": 1, "search=deb+zz": 0, "search=b%25h": 0, "search=+": 1,
	} {
		if got := len(items[inventory.Software](t, e, "/api/v1/software?include_uninstalled=true&"+query)); got != want {
			t.Errorf("%s finds %d, want %d", query, got, want)
		}
	}
	if a := e.do(t, http.MethodGet, "/api/v1/software/999", "", nil); a.status != http.StatusNotFound {
		t.Errorf("an unknown software: %d", a.status)
	}
	if a := e.do(t, http.MethodGet, "/api/v1/software/999/devices", "", nil); a.status != http.StatusNotFound {
		t.Errorf("who has an unknown software: %d", a.status)
	}
}
