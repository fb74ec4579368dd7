package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/inventory"
)

func names(devices []inventory.Device) string {
	var list []string
	for _, d := range devices {
		list = append(list, d.Name)
	}
	return strings.Join(list, " ")
}

func TestListDevices(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	if got := items[inventory.Device](t, e, "/api/v1/devices"); len(got) != 0 {
		t.Errorf("an empty inventory has %v", got)
	}
	before := e.now(t)
	for _, name := range []string{"beta", "alpha", "gamma"} {
		e.newMachine(t).report(t, computer(name))
	}
	for _, c := range []struct{ query, want string }{
		{"", "alpha beta gamma"},
		{"order_by=name+desc", "gamma beta alpha"},
		{"order_by=first_seen", "beta alpha gamma"},
		{"order_by=first_seen+desc", "gamma alpha beta"},
		{"order_by=serial_number", "alpha beta gamma"},
		{"search=ALPH", "alpha"},
		{"search=pf-b", "beta"},
		{"search=20xw", "alpha beta gamma"},
		{"search=%25", ""},
		{"search=_", ""},
		{"search=\\", ""},
		{"class=monitor", ""},
		{asOf(before), ""},
		{asOf(e.now(t)), "alpha beta gamma"},
		{asOf(e.now(t)) + "&order_by=first_seen+desc&search=a", "gamma alpha beta"},
	} {
		if got := names(items[inventory.Device](t, e, "/api/v1/devices?"+c.query)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.query, got, c.want)
		}
	}
}

func TestGetDevice(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	before := e.now(t)
	m := e.newMachine(t)
	m.report(t, computer("alpha"))
	after := e.now(t)

	var got DeviceDetails
	e.get(t, "/api/v1/devices/"+m.device).decode(t, &got)
	want := DeviceDetails{
		Device: inventory.Device{
			ID: m.device, Name: "alpha", Class: got.Class, Manufacturer: "LENOVO", Model: "20XW004AUS",
			SerialNumber: "PF-alpha", OSName: "Debian GNU/Linux", OSVersion: "12", FirstSeen: got.FirstSeen, LastSeen: got.LastSeen,
		},
		Agents: []inventory.DeviceAgent{{Version: "1.2.3", LastSeen: got.LastSeen}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(inventory.DeviceAgent{}, "AgentID", "EnrolledAt")); diff != "" {
		t.Errorf("device (-want +got):\n%s", diff)
	}
	if got.Class == "" || got.FirstSeen.Before(before) || got.FirstSeen.After(after) || got.LastSeen == nil {
		t.Errorf("class %q, first seen %v, last seen %v", got.Class, got.FirstSeen, got.LastSeen)
	}
	if upper := e.get(t, "/api/v1/devices/"+strings.ToUpper(m.device)); upper.status != http.StatusOK {
		t.Errorf("an id in upper case: %d", upper.status)
	}

	var then DeviceDetails
	e.get(t, "/api/v1/devices/"+m.device+"?"+asOf(after)).decode(t, &then)
	if then.AsOf == nil || !then.AsOf.Equal(after) {
		t.Errorf("as_of is echoed as %v, want %v", then.AsOf, after)
	}
	early := e.do(t, http.MethodGet, "/api/v1/devices/"+m.device+"?"+asOf(before), "", nil)
	if early.status != http.StatusNotFound {
		t.Errorf("before it was first seen: %d %s", early.status, early.body)
	}
}

func TestRevokeDevice(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	m.report(t, computer("alpha"))
	before := e.now(t)
	path := "/api/v1/devices/" + m.device

	revoked := e.do(t, http.MethodPost, path+"/revoke", `{"reason": "stolen"}`, nil)
	if revoked.status != http.StatusOK {
		t.Fatalf("revoke: %d %s", revoked.status, revoked.body)
	}
	again := e.do(t, http.MethodPost, path+"/revoke", `{"reason": "again"}`, nil)
	var got DeviceDetails
	again.decode(t, &got)
	if len(got.Agents) != 1 || got.Agents[0].RevokedAt == nil || got.Agents[0].RevokeReason != "stolen" {
		t.Errorf("agents = %+v, want one that was revoked as stolen", got.Agents)
	}
	record, err := e.store.Record(t.Context(), m.key)
	if err == nil && record.RevokedAt == nil {
		t.Error("the agent is not refused")
	}
	var then DeviceDetails
	e.get(t, path+"?"+asOf(before)).decode(t, &then)
	if then.Agents[0].RevokedAt != nil || then.Agents[0].RevokeReason != "" {
		t.Errorf("before it was revoked: %+v", then.Agents[0])
	}
	missing := e.do(t, http.MethodPost, "/api/v1/devices/0193ab00-0000-7000-8000-000000000000/revoke", `{"reason": "x"}`, nil)
	if missing.status != http.StatusNotFound {
		t.Errorf("revoke of an unknown device: %d", missing.status)
	}
}

// TestLastSeenIsNotInvented: when a device was seen last is kept for now. An answer about the past
// that had it would be another one when it is asked for again.
func TestLastSeenIsNotInvented(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	m.report(t, computer("alpha"))
	then := e.now(t)
	m.report(t, computer("alpha-2"))
	for query, want := range map[string]bool{"": true, asOf(then): false, asOf(e.now(t)): false} {
		devices := items[inventory.Device](t, e, "/api/v1/devices?"+query)
		if got := devices[0].LastSeen != nil; got != want {
			t.Errorf("%s: last_seen known: %v, want %v", query, got, want)
		}
		if state := e.ci(t, devices[0].ID, "?"+query).ObservationState; (state == "active") != want || (state == "") == want {
			t.Errorf("%s: observed: %q, but it is known when: %v", query, state, want)
		}
	}
}

func TestOrderByIsListed(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	e.newMachine(t).report(t, computer("alpha"))
	for _, column := range []string{
		"name", "class", "manufacturer", "model", "serial_number", "uuid", "os_name", "os_version", "first_seen",
	} {
		for _, direction := range []string{"", " asc", " desc"} {
			e.get(t, "/api/v1/devices?order_by="+url.QueryEscape(column+direction))
		}
	}
	for _, order := range []string{"id", "last_seen", "name;drop table device", "name desc,model", "1"} {
		a := e.do(t, http.MethodGet, "/api/v1/devices?order_by="+url.QueryEscape(order), "", nil)
		if a.status != http.StatusBadRequest {
			t.Errorf("order_by=%s: %d", order, a.status)
		}
	}
}
