package ingest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// hardware is a machine of the tests: what its agent would find on it.
type hardware struct {
	maker, serial, uuid, board, mac, disk string
	install, host                         string
	displays                              []proto.Message
	software                              []proto.Message
}

func laptop(n int) hardware {
	return hardware{
		maker: "Dell Inc.", serial: fmt.Sprintf("SVC%04d", n), uuid: fmt.Sprintf("4c4c4544-0030-4a10-8048-c4c04f%06d", n),
		board: fmt.Sprintf("/BRD%04d/CN12/", n), mac: fmt.Sprintf("a4:bb:6d:00:%02x:%02x", n/256, n%256), disk: fmt.Sprintf("S4X9NX0R%06d", n),
		install: fmt.Sprintf("%032x", 0xabcdef00+n), host: fmt.Sprintf("desk-%d", n),
		software: []proto.Message{pkg("bash", "5.2"), pkg("vim", "9")},
	}
}

func ok(items ...proto.Message) section { return section{status: inventory.StatusOK, items: items} }

func (h hardware) report() report {
	notebook := uint32(10)
	return report{
		"system": ok(&inventoryv1.System{
			Manufacturer: h.maker, ProductName: "Latitude 7440", SerialNumber: h.serial, Uuid: h.uuid,
			BoardManufacturer: h.maker, BoardSerial: h.board, ChassisTypeCode: &notebook,
		}),
		"os": ok(&inventoryv1.OperatingSystem{Name: "Debian GNU/Linux", Version: "12", InstallId: h.install, Hostname: h.host}),
		"network_interface": ok(&inventoryv1.NetworkInterface{
			Name: "eth0", Mac: h.mac, PermanentMac: h.mac, Type: "ethernet", IsVirtual: proto.Bool(false),
		}),
		"storage": ok(&inventoryv1.Storage{
			Model: "Samsung SSD 990", SerialNumber: h.disk, Bus: "nvme", MediaType: "ssd", Removable: proto.Bool(false),
		}),
		"display":  ok(h.displays...),
		"software": ok(h.software...),
	}
}

func display(serial string) proto.Message {
	return &inventoryv1.Display{ManufacturerPnp: "DEL", ProductCode: proto.Uint32(0xa0c4), SerialText: serial, Model: "DELL U2720Q"}
}

func (e *fixture) agent(t testing.TB, h hardware) (*machine, string) {
	t.Helper()
	m := e.enroll(t)
	mustObserve(t, m, h.report())
	return m, m.mustRecord(t).CI
}

func (e *fixture) installs(t testing.TB, name string) int {
	t.Helper()
	total := 0
	err := e.ListSoftware(t.Context(), inventory.SoftwareQuery{Words: []string{name}}, func(s inventory.Software, _ inventory.Position) error {
		total += int(s.InstallCount)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func (e *fixture) ci(t testing.TB, id string, at time.Time) inventory.CIDetails {
	t.Helper()
	details, err := e.CI(t.Context(), id, at)
	if err != nil {
		t.Fatal(err)
	}
	return details
}

func (e *fixture) now(t testing.TB) time.Time {
	t.Helper()
	now, err := e.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// related lists the CIs at the other end of a CI's relationships of a type.
func (e *fixture) related(t testing.TB, ci, relation string, at time.Time) []string {
	t.Helper()
	others := []string{}
	q := inventory.RelationshipQuery{CI: ci, Type: relation, Page: inventory.Page{AsOf: at}}
	err := e.ListRelationships(t.Context(), q, func(r inventory.Relationship, _ inventory.Position) error {
		other := r.To.ID
		if other == ci {
			other = r.From.ID
		}
		others = append(others, other)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return others
}

var auditor = inventory.Actor{Name: "ann", Reason: "looked at the sticker"}

func TestAnOrderedLaptopIsTheOneThatReports(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	ordered, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "laptop", Attributes: inventory.Attributes{
		"manufacturer": "DELL", "serial_number": " svc0001", "lifecycle_state": "ordered", "purchase_order": "PO-7", "cost": "1199.90",
	}}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	_, reported := e.agent(t, h)
	if reported != ordered {
		t.Fatalf("the agent made ci %s, the order %s", reported, ordered)
	}
	got := e.ci(t, ordered, time.Time{})
	for attribute, want := range map[string]string{
		"serial_number": "SVC0001", "purchase_order": "PO-7", "cost": "1199.9", "os_name": "Debian GNU/Linux",
	} {
		if fmt.Sprint(got.Attributes[attribute]) != want {
			t.Errorf("%s is %v, want %s", attribute, got.Attributes[attribute], want)
		}
	}
	if got.Provenance["purchase_order"].Source != "manual" || got.Provenance["serial_number"].Source != "agent" {
		t.Errorf("provenance: %+v", got.Provenance)
	}
	if got.Name != "desk-1" || got.Class != "laptop" {
		t.Errorf("got %s %s", got.Class, got.Name)
	}
}

func TestReinstalledAgentReplacesTheOldOne(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	old, device := e.agent(t, h)
	h.software = []proto.Message{pkg("bash", "5.3")}
	_, again := e.agent(t, h)
	if again != device {
		t.Fatalf("the new agent made ci %s beside %s", again, device)
	}
	if n := e.installs(t, "bash"); n != 1 {
		t.Errorf("bash is installed %d times on one machine", n)
	}
	if n := e.installs(t, "vim"); n != 0 {
		t.Errorf("vim is installed %d times, and is only what the old agent said", n)
	}
	if got, want := old.held(t, "software", time.Time{}), facts(t, "software", h.software); !cmp.Equal(got, want) {
		t.Errorf("the device holds %v, want %v", got, want)
	}
	identity, err := e.Identity(t.Context(), device, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(identity.Records) != 2 || identity.Text == "" || identity.Decisions[0].Action != "linked" {
		t.Errorf("identity: %+v", identity)
	}
	t.Log(identity.Text)
}

func TestPlaceholdersMergeNothing(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	a, b := laptop(1), laptop(2)
	for _, h := range []*hardware{&a, &b} {
		h.serial, h.uuid, h.board = "To Be Filled By O.E.M.", "03000200-0400-0500-0006-000700080009", "Default string"
	}
	_, ciA := e.agent(t, a)
	_, ciB := e.agent(t, b)
	if ciA == ciB {
		t.Fatal("two machines became one by what their maker forgot to fill in")
	}
	if got := e.ci(t, ciA, time.Time{}); got.Attributes["serial_number"] != nil {
		t.Errorf("a placeholder became a serial number: %v", got.Attributes)
	}
}

// TestMergeAndUndo merges two machines with monitors and what people said of them, and takes it
// back.
func TestMergeAndUndo(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	a, b := laptop(1), laptop(2)
	a.displays, b.displays = []proto.Message{display("CN0A")}, []proto.Message{display("CN0B")}
	_, ciA := e.agent(t, a)
	_, ciB := e.agent(t, b)
	declare(t, e, ciB, map[string]any{"owner": "Ben", "asset_tag": "T-2"})
	before := map[string]inventory.CIDetails{ciA: e.ci(t, ciA, time.Time{}), ciB: e.ci(t, ciB, time.Time{})}
	screens := map[string][]string{ciA: e.related(t, ciA, "connected_to", time.Time{}), ciB: e.related(t, ciB, "connected_to", time.Time{})}
	separate := e.now(t)

	merged, err := e.MergeCIs(t.Context(), []string{ciB, ciA}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	if merged != ciA {
		t.Errorf("merged into %s, want %s, which was first", merged, ciA)
	}
	one := e.ci(t, ciB, time.Time{})
	// The first agent was last observed before the second one: its components no longer count.
	if one.ID != ciA || one.Attributes["owner"] != "Ben" || !cmp.Equal(e.related(t, ciA, "connected_to", time.Time{}), screens[ciB]) {
		t.Errorf("merged: %+v", one)
	}
	together := e.now(t)
	while := e.ci(t, ciA, together)

	identity, err := e.Identity(t.Context(), ciA, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	undo := identity.Decisions[0]
	if undo.Action != "merged" || undo.Actor != "ann" {
		t.Fatalf("the last decision is %+v", undo)
	}
	if err := e.UndoDecision(t.Context(), undo.ID, auditor); err != nil {
		t.Fatal(err)
	}
	for ci, want := range before {
		for _, at := range []time.Time{{}, separate} {
			got := e.ci(t, ci, at)
			if diff := cmp.Diff(settled(want), settled(got)); diff != "" {
				t.Errorf("%s as of %v (-before +after):\n%s", ci, at, diff)
			}
			if diff := cmp.Diff(screens[ci], e.related(t, ci, "connected_to", at)); diff != "" {
				t.Errorf("monitors of %s as of %v (-before +after):\n%s", ci, at, diff)
			}
		}
	}
	if diff := cmp.Diff(settled(while), settled(e.ci(t, ciA, together))); diff != "" {
		t.Errorf("what was true while they were one changed (-then +now):\n%s", diff)
	}
	if err := e.UndoDecision(t.Context(), undo.ID, auditor); !isConflict(err) {
		t.Errorf("undone twice: %v", err)
	}
}

func settled(d inventory.CIDetails) inventory.CIDetails {
	d.AsOf, d.LastSeen, d.ChangedAt = nil, nil, time.Time{} // undoing is a change, too
	for i := range d.Sources {
		d.Sources[i].LastSeen = nil
	}
	return d
}

func isConflict(err error) bool {
	var e *inventory.Error
	return errors.As(err, &e) && e.Code == inventory.CodeConflict
}

func declare(t testing.TB, e *fixture, ci string, values map[string]any) {
	t.Helper()
	if err := e.DeclareCI(t.Context(), ci, inventory.Declaration{Attributes: values}, auditor); err != nil {
		t.Fatal(err)
	}
}

func TestSplitIsRemembered(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	_, device := e.agent(t, h)
	second, again := e.agent(t, h)
	if again != device {
		t.Fatalf("two agents of one machine made %s and %s", device, again)
	}
	record := second.mustRecord(t).ID
	if err := e.SplitCI(t.Context(), device, []int64{record}, auditor); err != nil {
		t.Fatal(err)
	}
	other := second.mustRecord(t).CI
	if other == device {
		t.Fatal("the split did nothing")
	}
	h.host = "renamed"
	mustObserve(t, second, h.report())
	if got := second.mustRecord(t).CI; got != other {
		t.Errorf("after the next report the record is %s again", got)
	}
	if err := e.SplitCI(t.Context(), device, []int64{record}, auditor); err == nil {
		t.Error("a record that is none of the ci was split from it")
	}
}

func TestMonitorMoves(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	a, b := laptop(1), laptop(2)
	a.displays = []proto.Message{display("CN0123")}
	first, ciA := e.agent(t, a)
	second, ciB := e.agent(t, b)
	screens := e.related(t, ciA, "connected_to", time.Time{})
	if len(screens) != 1 {
		t.Fatalf("the first machine has %d monitors", len(screens))
	}
	monitor, before := screens[0], e.now(t)
	if got := e.ci(t, monitor, time.Time{}); got.Class != "monitor" || got.Attributes["serial_number"] != "CN0123" {
		t.Errorf("the monitor is %+v", got)
	}
	a.displays, b.displays = nil, []proto.Message{display("CN0123")}
	mustObserve(t, first, a.report())
	mustObserve(t, second, b.report())
	if got := e.related(t, monitor, "connected_to", time.Time{}); !cmp.Equal(got, []string{ciB}) {
		t.Errorf("the monitor is at %v, want %s", got, ciB)
	}
	if got := e.related(t, monitor, "connected_to", before); !cmp.Equal(got, []string{ciA}) {
		t.Errorf("the monitor was at %v, want %s", got, ciA)
	}
}

// TestMonitorsWithOneSerialNumber reports monitors of a maker that uses one serial number for all.
func TestMonitorsWithOneSerialNumber(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	seen := map[string]bool{}
	var devices []string
	for n := range 5 {
		h := laptop(n)
		h.displays = []proto.Message{display("SAMESAME1")}
		_, ci := e.agent(t, h)
		devices = append(devices, ci)
	}
	for _, ci := range devices {
		for _, monitor := range e.related(t, ci, "connected_to", time.Time{}) {
			seen[monitor] = true
		}
	}
	if len(seen) != len(devices) {
		t.Errorf("%d machines have %d monitors of one serial number", len(devices), len(seen))
	}
}

// TestDiskMovesWithItsInstallation takes a disk with its agent out of one machine and puts it into
// another.
func TestDiskMovesWithItsInstallation(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	a, b := laptop(1), laptop(2)
	moving, ciA := e.agent(t, a)
	before := e.now(t)
	b.disk, b.install, b.host, b.software = a.disk, a.install, a.host, a.software
	mustObserve(t, moving, b.report())
	ciB := moving.mustRecord(t).CI
	if ciB == ciA {
		t.Fatal("the disk moved and took the machine with it")
	}
	left := e.ci(t, ciA, time.Time{})
	if left.Attributes["serial_number"] != a.serial || left.Attributes["os_name"] != nil {
		t.Errorf("the machine that was left is %v", left.Attributes)
	}
	if got := e.ci(t, ciB, time.Time{}); got.Attributes["serial_number"] != b.serial {
		t.Errorf("the machine with the disk is %v", got.Attributes)
	}
	systems := e.related(t, ciB, "installed_on", time.Time{})
	if len(systems) != 1 || !cmp.Equal(systems, e.related(t, ciA, "installed_on", before)) {
		t.Errorf("installed on the new machine: %v, on the old one before: %v", systems, e.related(t, ciA, "installed_on", before))
	}
	if got := e.related(t, ciA, "installed_on", time.Time{}); len(got) != 0 {
		t.Errorf("still installed on the old machine: %v", got)
	}
	// Whoever installs an agent on the old machine again finds it.
	a.disk, a.install, a.host = "S4X9NX0R999999", "0123456789abcdef0123456789abcdef", "new"
	if _, ci := e.agent(t, a); ci != ciA {
		t.Errorf("the old machine became %s, want %s", ci, ciA)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	agent, ci := e.agent(t, h)
	if err := e.LockAttribute(t.Context(), ci, inventory.Lock{
		Attribute: "model", Value: "Latitude 7440 (repaired)",
	}, auditor); err != nil {
		t.Fatal(err)
	}
	mustObserve(t, agent, h.report())
	got := e.ci(t, ci, time.Time{})
	if got.Attributes["model"] != "Latitude 7440 (repaired)" || got.Provenance["model"].Rule != "lock" || len(got.Locks) != 1 {
		t.Errorf("locked: %v, %+v, %v", got.Attributes["model"], got.Provenance["model"], got.Locks)
	}
	if len(got.Provenance["model"].Suppressed) != 1 {
		t.Errorf("what the agent says is not shown: %+v", got.Provenance["model"])
	}
	if err := e.ReleaseLock(t.Context(), ci, "model", auditor); err != nil {
		t.Fatal(err)
	}
	if got := e.ci(t, ci, time.Time{}).Attributes["model"]; got != "Latitude 7440" {
		t.Errorf("released: %v", got)
	}
	soon := e.now(t).Add(time.Millisecond)
	if err := e.LockAttribute(t.Context(), ci, inventory.Lock{
		Attribute: "owner", Value: "Ann", Until: &soon,
	}, auditor); err != nil {
		t.Fatal(err)
	}
	for e.now(t).Before(soon) {
	}
	if n, err := e.ExpireLocks(t.Context()); err != nil || n != 1 {
		t.Errorf("expired %d locks, %v", n, err)
	}
	if got := e.ci(t, ci, time.Time{}).Attributes["owner"]; got != nil {
		t.Errorf("the lock ran out and the owner is still %v", got)
	}
}

func TestUnknownAttributeIsRefused(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	_, ci := e.agent(t, laptop(1))
	err := e.DeclareCI(t.Context(), ci, inventory.Declaration{Attributes: map[string]any{"colour": "red"}}, auditor)
	var refused *inventory.Error
	if !errors.As(err, &refused) || refused.Code != inventory.CodeInvalid {
		t.Errorf("got %v", err)
	}
	if got := e.ci(t, ci, time.Time{}); len(got.Sources) != 1 {
		t.Errorf("what was refused left a source: %+v", got.Sources)
	}
}

func TestRetiredComesBack(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	agent, ci := e.agent(t, h)
	sold := inventory.Actor{Name: "ann", Reason: "sold"}
	if err := e.RetireCI(t.Context(), ci, sold); err != nil {
		t.Fatal(err)
	}
	disposed := e.now(t)
	retired := func(when string) {
		t.Helper()
		got := e.ci(t, ci, disposed)
		if got.RetiredAt == nil || got.RetiredBy != "ann" || got.RetireReason != "sold" {
			t.Errorf("%s, as of when it was retired: at %v by %q for %q", when, got.RetiredAt, got.RetiredBy, got.RetireReason)
		}
	}
	retired("at once")
	if _, _, err := e.Device(t.Context(), ci, time.Time{}); err == nil {
		t.Error("a retired device is still listed")
	}
	if n := e.installs(t, "bash"); n != 0 {
		t.Errorf("bash is installed %d times on a retired device", n)
	}
	h.host = "found-again"
	mustObserve(t, agent, h.report())
	if got := e.ci(t, ci, time.Time{}); got.Name != "found-again" || got.RetiredAt != nil || got.RetiredBy != "" {
		t.Errorf("it came back as %+v", got)
	}
	retired("since it came back")
	if n := e.installs(t, "bash"); n != 1 {
		t.Errorf("back again, bash is installed %d times", n)
	}
}

// TestContainerIsHosted runs agents in containers, which report the hardware of their host, in both
// orders of arrival.
func TestContainerIsHosted(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	inside := func(number, name string) (ci string) {
		one := h
		one.install, one.host = "ffffffffffffffffffffffffffff000"+number, name
		reported := one.report()
		system, _ := reported["system"].items[0].(*inventoryv1.System)
		system.ContainerType = "lxc"
		guest := e.enroll(t)
		mustObserve(t, guest, reported)
		ci = guest.mustRecord(t).CI
		if got := e.ci(t, ci, time.Time{}); got.Class != "container" || got.Attributes["serial_number"] != nil {
			t.Errorf("the container is a %s with %v", got.Class, got.Attributes)
		}
		return ci
	}
	earlier := inside("1", "c1")
	if got := e.related(t, earlier, "hosted_on", time.Time{}); len(got) > 0 {
		t.Errorf("hosted on %v, which nobody knows", got)
	}
	_, host := e.agent(t, h)
	later := inside("2", "c2")
	if earlier == host || later == host || earlier == later {
		t.Fatal("a container became its host")
	}
	for _, ci := range []string{earlier, later} {
		if got := e.related(t, ci, "hosted_on", time.Time{}); !cmp.Equal(got, []string{host}) {
			t.Errorf("hosted on %v, want %s", got, host)
		}
	}
}

// TestTwoSystemsOnOneMachine starts one and the other: both are there.
func TestTwoSystemsOnOneMachine(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	first, device := e.agent(t, h)
	h.install, h.host = "11111111111111111111111111111111", "other"
	second, again := e.agent(t, h)
	if again != device {
		t.Fatalf("the second system made %s beside %s", again, device)
	}
	if n := e.installs(t, "bash"); n != 1 {
		t.Errorf("while the first system is silent bash is installed %d times", n)
	}
	if n := e.count(t, "operating_system_installation"); n != 2 {
		t.Errorf("%d systems are installed", n)
	}
	record := first.mustRecord(t)
	if !record.LivenessDependent {
		t.Error("nobody will look again when the first system is heard of")
	}
	states, err := first.SectionStates(t.Context(), record.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ingester.Reconsider(t.Context(), record, states); err != nil {
		t.Fatal(err)
	}
	if n := e.installs(t, "bash"); n != 2 {
		t.Errorf("on two systems bash is installed %d times", n)
	}
	if got := e.related(t, device, "installed_on", time.Time{}); len(got) != 2 {
		t.Errorf("%d installations", len(got))
	}
	_ = second
}

// TestComponentIsObservedWithItsHost: a monitor was last observed when the machine that reports it
// checked in.
func TestComponentIsObservedWithItsHost(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	h := laptop(1)
	h.displays = []proto.Message{display("CN0123")}
	agent, ci := e.agent(t, h)
	monitor := e.related(t, ci, "connected_to", time.Time{})[0]
	later := e.now(t)
	if err := e.FlushPresence(t.Context(), []inventory.Presence{{Record: agent.mustRecord(t).ID, SeenAt: later}}); err != nil {
		t.Fatal(err)
	}
	if got := e.ci(t, monitor, time.Time{}).LastSeen; got == nil || !got.Equal(later) {
		t.Errorf("the monitor was last seen at %v, its machine at %v", got, later)
	}
}
