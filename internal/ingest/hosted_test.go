package ingest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	webUUID    = "c7a5fdbd-cdaf-9455-926a-d65c16db1809"
	webSwapped = "bdfda5c7-afcd-5594-926a-d65c16db1809" // as firmware shows it that is older than SMBIOS 2.6
)

// domainOf is a virtual machine as its host reports it. Its MAC address is a default of QEMU and no
// identifier.
func domainOf(uuid, name, state string) proto.Message {
	return &inventoryv1.VirtualMachine{
		Uuid: uuid, Name: name, Kind: "kvm", Manager: "libvirt", State: state, Cpus: proto.Uint32(2), Macs: []string{"52:54:00:12:34:56"},
		ConfigPath: "/etc/libvirt/qemu/" + name + ".xml",
	}
}

// guestReport is what the agent in a virtual machine reports.
func guestReport(uuid, hostname string) report {
	return report{
		"system": ok(&inventoryv1.System{
			Manufacturer: "QEMU", ProductName: "Standard PC (Q35 + ICH9, 2009)", SerialNumber: "Not Specified", Uuid: uuid,
			IsVirtual: proto.Bool(true), Hypervisor: "kvm",
		}),
		"os": ok(&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Version: "12", InstallId: "0123456789abcdef0123456789abcdef", Hostname: hostname}),
		"network_interface": ok(&inventoryv1.NetworkInterface{
			Name: "enp1s0", Mac: "52:54:00:12:34:56", PermanentMac: "52:54:00:12:34:56", Type: "ethernet", IsVirtual: proto.Bool(false),
		}),
	}
}

// host enrolls the agent of a machine that has virtual machines.
func (e *fixture) host(t testing.TB, n int, domains ...proto.Message) (*machine, string) {
	t.Helper()
	m := e.enroll(t)
	reported := laptop(n).report()
	reported["virtual_machine"] = ok(domains...)
	mustObserve(t, m, reported)
	return m, m.mustRecord(t).CI
}

func (e *fixture) guest(t testing.TB, uuid, hostname string) (*machine, string) {
	t.Helper()
	m := e.enroll(t)
	mustObserve(t, m, guestReport(uuid, hostname))
	return m, m.mustRecord(t).CI
}

func (m *machine) report(t testing.TB, status inventory.Status, domains ...proto.Message) {
	t.Helper()
	mustObserve(t, m, report{"virtual_machine": section{status: status, items: domains}})
}

// virtualMachines lists the CIs of that class.
func (e *fixture) virtualMachines(t testing.TB) []string {
	t.Helper()
	var ids []string
	err := e.ListCIs(t.Context(), inventory.CIQuery{Class: "virtual_machine"}, func(c inventory.CI, _ inventory.Position) error {
		ids = append(ids, c.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (e *fixture) wantHosts(t testing.TB, guest string, hosts ...string) {
	t.Helper()
	got := e.related(t, guest, "hosted_on", time.Time{})
	slices.Sort(got)
	slices.Sort(hosts)
	if diff := cmp.Diff(append([]string{}, hosts...), got); diff != "" {
		t.Errorf("hosted on (-want +got):\n%s", diff)
	}
}

// TestGuestIsHosted: the guest that a host lists and the machine of the guest's own agent are one
// CI, in both orders of arrival, and also if the byte orders of their UUIDs differ.
func TestGuestIsHosted(t *testing.T) {
	t.Parallel()
	web, other := domainOf(webUUID, "web", "running"), domainOf("030d9a33-8f50-488d-9b97-79fc03943d81", "db", "shut off")
	for name, arrive := range map[string]func(*testing.T, *fixture) (guest, host string){
		"host first": func(t *testing.T, e *fixture) (guest, host string) {
			t.Helper()
			_, host = e.host(t, 1, web, other)
			if seen := e.virtualMachines(t); len(seen) != 2 {
				t.Errorf("before a guest is heard of there are %d virtual machines", len(seen))
			}
			_, guest = e.guest(t, webUUID, "web-1")
			return guest, host
		},
		"guest first": func(t *testing.T, e *fixture) (guest, host string) {
			t.Helper()
			_, guest = e.guest(t, webUUID, "web-1")
			_, host = e.host(t, 1, web, other)
			return guest, host
		},
		"host first, and other bytes": func(t *testing.T, e *fixture) (guest, host string) {
			t.Helper()
			_, host = e.host(t, 1, web, other)
			_, guest = e.guest(t, webSwapped, "web-1")
			return guest, host
		},
		"the host defines it later": func(t *testing.T, e *fixture) (guest, host string) {
			t.Helper()
			m, host := e.host(t, 1, other)
			_, guest = e.guest(t, webUUID, "web-1")
			m.report(t, inventory.StatusOK, other, web)
			return guest, host
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			guest, host := arrive(t, e)
			if guest == host {
				t.Fatal("a guest became its host")
			}
			e.wantHosts(t, guest, host)
			if seen := e.virtualMachines(t); len(seen) != 2 || !slices.Contains(seen, guest) {
				t.Errorf("the virtual machines are %v, want %s and the other", seen, guest)
			}
			if got := e.ci(t, guest, time.Time{}); got.Name != "web-1" || got.Class != "virtual_machine" {
				t.Errorf("the guest is the %s %s", got.Class, got.Name)
			}
			if hosted := e.related(t, host, "hosted_on", time.Time{}); len(hosted) != 2 {
				t.Errorf("%d machines on the host", len(hosted))
			}
		})
	}
}

// TestGuestLeavesItsHost: a guest that its host no longer defines is not hosted there, and stays a
// CI.
func TestGuestLeavesItsHost(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m, host := e.host(t, 1, domainOf(webUUID, "web", "running"))
	agent, guest := e.guest(t, webUUID, "web-1")
	there := e.now(t)
	m.report(t, inventory.StatusOK)
	e.wantHosts(t, guest)
	if then := e.related(t, guest, "hosted_on", there); !cmp.Equal(then, []string{host}) {
		t.Errorf("it was hosted on %v, want %s", then, host)
	}
	mustObserve(t, agent, guestReport(webUUID, "web-2"))
	if got := e.ci(t, guest, time.Time{}); got.Name != "web-2" || agent.mustRecord(t).CI != guest {
		t.Errorf("the guest is %s, by the name of %s", agent.mustRecord(t).CI, got.Name)
	}
	m.report(t, inventory.StatusOK, domainOf(webUUID, "web", "shut off"))
	e.wantHosts(t, guest, host)
}

// TestGuestMoves moves a guest between hosts, which report in both orders.
func TestGuestMoves(t *testing.T) {
	t.Parallel()
	web := domainOf(webUUID, "web", "running")
	for _, arrivesFirst := range []bool{true, false} {
		e := newFixture(t)
		from, first := e.host(t, 1, web)
		to, second := e.host(t, 2)
		_, guest := e.guest(t, webUUID, "web-1")
		e.wantHosts(t, guest, first)
		before := e.now(t)
		if arrivesFirst {
			to.report(t, inventory.StatusOK, web)
			from.report(t, inventory.StatusOK)
		} else {
			from.report(t, inventory.StatusOK)
			e.wantHosts(t, guest)
			to.report(t, inventory.StatusOK, web)
		}
		e.wantHosts(t, guest, second)
		if then := e.related(t, guest, "hosted_on", before); !cmp.Equal(then, []string{first}) {
			t.Errorf("before, it was hosted on %v, want %s", then, first)
		}
		if seen := e.virtualMachines(t); !cmp.Equal(seen, []string{guest}) {
			t.Errorf("the virtual machines are %v, want %s", seen, guest)
		}
	}
}

// TestHostThatCannotReport: a section that could not be collected ends no relationship.
func TestHostThatCannotReport(t *testing.T) {
	t.Parallel()
	for _, status := range []inventory.Status{
		inventory.StatusPartial, inventory.StatusDenied, inventory.StatusUnsupported, inventory.StatusTimeout, inventory.StatusError,
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			m, host := e.host(t, 1, domainOf(webUUID, "web", "running"))
			_, guest := e.guest(t, webUUID, "web-1")
			m.report(t, status)
			e.wantHosts(t, guest, host)
			// The host itself changes: its machines are looked at again, by what is held of them.
			mustObserve(t, m, report{"os": ok(&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Version: "13", InstallId: "x1", Hostname: "renamed"})})
			e.wantHosts(t, guest, host)
		})
	}
}

// TestGuestIsRenamedAndStopped: it stays where it is, without a new relationship, and its states
// are history.
func TestGuestIsRenamedAndStopped(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m, host := e.host(t, 1, domainOf(webUUID, "web", "running"))
	guest := e.virtualMachines(t)[0]
	began := e.relationship(t, guest, "hosted_on").ValidFrom
	m.report(t, inventory.StatusOK, domainOf(webUUID, "web", "shut off"))
	m.report(t, inventory.StatusOK, domainOf(webUUID, "shop", "running"))
	e.wantHosts(t, guest, host)
	if got := e.relationship(t, guest, "hosted_on").ValidFrom; !got.Equal(began) {
		t.Errorf("hosted since %v, want %v", got, began)
	}
	if got := e.ci(t, guest, time.Time{}); got.Name != "shop" {
		t.Errorf("it is called %s", got.Name)
	}
	if changes := m.changes(t, "virtual_machine"); len(changes) != 2 {
		t.Errorf("want two changes, that it stopped and that it started by another name: %v", changes)
	}
}

// relationship returns the only relationship of a type that a CI has.
func (e *fixture) relationship(t testing.TB, ci, kind string) inventory.Relationship {
	t.Helper()
	var only inventory.Relationship
	q := inventory.RelationshipQuery{CI: ci, Type: kind}
	err := e.ListRelationships(t.Context(), q, func(r inventory.Relationship, _ inventory.Position) error {
		only = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return only
}

// TestGuestsWithoutAnIdentifier: what has no UUID is known on its host alone, also where two hosts
// call theirs alike.
func TestGuestsWithoutAnIdentifier(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	nameless := &inventoryv1.VirtualMachine{Id: "test", Name: "test", Kind: "qemu", State: "running"}
	placeholder := domainOf("00010203-0405-0607-0809-0a0b0c0d0e0f", "copied", "running")
	_, one := e.host(t, 1, nameless, placeholder, domainOf(laptop(1).uuid, "licensed", "running"))
	_, two := e.host(t, 2, nameless, placeholder)
	if seen := e.virtualMachines(t); len(seen) != 5 || slices.Contains(seen, one) || slices.Contains(seen, two) {
		t.Errorf("%d virtual machines, want 3 on one host and 2 on the other", len(seen))
	}
	if hosted := e.related(t, one, "hosted_on", time.Time{}); len(hosted) != 3 {
		t.Errorf("%d on the first host", len(hosted))
	}
}

// TestDefinedOnSeveralHosts: who moves a guest may leave its definition behind, on any number of
// hosts. Where it runs on more hosts than a move takes, these are copies, and none of them is the
// others.
func TestDefinedOnSeveralHosts(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	off, on := domainOf(webUUID, "web", "shut off"), domainOf(webUUID, "web", "running")
	_, a := e.host(t, 1, off)
	third, b := e.host(t, 2, on)
	_, guest := e.guest(t, webUUID, "web-1")
	_, c := e.host(t, 3, off)
	e.wantHosts(t, guest, a, b, c)
	third.report(t, inventory.StatusOK)
	e.wantHosts(t, guest, a, c)
	for n := range 3 {
		e.host(t, 4+n, on)
	}
	if seen := e.virtualMachines(t); len(seen) < 4 {
		t.Errorf("copies that run on three hosts are %d virtual machines", len(seen))
	}
}
