package ingest_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func pkg(name, version string) *inventoryv1.Software {
	return &inventoryv1.Software{Source: "dpkg", Name: name, Version: version, Arch: "amd64"}
}

func software(status inventory.Status, items ...proto.Message) report {
	return report{"software": {status: status, items: items}}
}

func mustObserve(t testing.TB, m *machine, r report) ingest.Result {
	t.Helper()
	result, err := m.observe(t, r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestChangesAreListedOnceAndThePastStays(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	first := mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.1"), pkg("vim", "9")))
	second := mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.2"), pkg("vim", "9"), pkg("jq", "1")))
	mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.2"), pkg("jq", "1")))

	changes := m.changes(t, "software")
	slices.Sort(changes[:2]) // one instant, no order
	if diff := cmp.Diff([]string{">jq1", "bash5.1>bash5.2", "vim9>"}, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for at, want := range map[time.Time][]proto.Message{
		first.At:  {pkg("bash", "5.1"), pkg("vim", "9")},
		second.At: {pkg("bash", "5.2"), pkg("vim", "9"), pkg("jq", "1")},
	} {
		if diff := cmp.Diff(facts(t, "software", want), m.held(t, "software", at)); diff != "" {
			t.Errorf("as of %v (-want +got):\n%s", at, diff)
		}
	}
}

func TestOnlyACompleteSectionRemoves(t *testing.T) {
	t.Parallel()
	all := []proto.Message{pkg("bash", "5.1"), pkg("vim", "9")}
	for _, c := range []struct {
		name string
		then report
		want []proto.Message
	}{
		{"complete", software(inventory.StatusOK, pkg("bash", "5.2")), []proto.Message{pkg("bash", "5.2")}},
		{"partial", software(inventory.StatusPartial, pkg("bash", "5.2")), []proto.Message{pkg("bash", "5.2"), pkg("vim", "9")}},
		{"complete and empty", software(inventory.StatusOK), nil},
		{"partial and empty", software(inventory.StatusPartial), all},
		{"denied", software(inventory.StatusDenied), all},
		{"timeout", software(inventory.StatusTimeout), all},
		{"error", software(inventory.StatusError), all},
		{"unsupported", software(inventory.StatusUnsupported), all},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newFixture(t).enroll(t)
			mustObserve(t, m, software(inventory.StatusOK, all...))
			mustObserve(t, m, c.then)
			if diff := cmp.Diff(facts(t, "software", c.want), m.held(t, "software", time.Time{})); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			// A complete section removes what the incomplete ones kept.
			mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.2")))
			if diff := cmp.Diff(facts(t, "software", []proto.Message{pkg("bash", "5.2")}), m.held(t, "software", time.Time{})); diff != "" {
				t.Errorf("held at last (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResultIsTheRecordAsItIsNow(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	for _, version := range []string{"5.1", "5.2"} {
		result := mustObserve(t, m, software(inventory.StatusOK, pkg("bash", version)))
		want := m.mustRecord(t)
		want.TokenAt, result.Record.TokenAt = time.Time{}, time.Time{} // taken a moment apart
		if diff := cmp.Diff(want, result.Record); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
	}
}

func TestStaleVersionIsFenced(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.1")))
	stale := m.prepare(t, software(inventory.StatusOK, pkg("bash", "5.1"), pkg("jq", "1")))
	mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.1"), pkg("vim", "9")))

	if _, err := m.ingester.Apply(t.Context(), stale); !errors.Is(err, ingest.ErrFenced) {
		t.Errorf("apply a stale observation: got %v, want ErrFenced", err)
	}
	if diff := cmp.Diff([]string{">vim9"}, m.changes(t, "software")); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestDeltaOnAWrongBaseIsAMismatch(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	mustObserve(t, m, software(inventory.StatusOK, pkg("bash", "5.1")))
	obs := m.prepare(t, software(inventory.StatusOK, pkg("bash", "5.2")))
	wrong := inventory.Root{1}
	obs.Updates[0].Base = &wrong

	var mismatch *ingest.MismatchError
	if _, err := m.ingester.Apply(t.Context(), obs); !errors.As(err, &mismatch) || mismatch.Section != "software" {
		t.Errorf("got %v, want a mismatch of software", err)
	}
}

// TestHistoryOracle compares the store with the naive truth: a list of whole snapshots.
func TestHistoryOracle(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := e.enroll(t)
		type snapshot struct {
			at   time.Time
			want []string
		}
		var past []snapshot
		held := map[string]*inventoryv1.Software{}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			names := rapid.SliceOfNDistinct(rapid.SampledFrom(names(120)), 0, 100, rapid.ID).Draw(rt, "names")
			status := rapid.SampledFrom([]inventory.Status{
				inventory.StatusOK, inventory.StatusOK, inventory.StatusPartial, inventory.StatusError,
			}).Draw(rt, "status")
			if status.Complete() {
				clear(held)
			}
			var items []proto.Message
			for _, name := range names {
				item := pkg(name, fmt.Sprint(rapid.IntRange(1, 3).Draw(rt, "version")))
				items = append(items, item)
				if status.Collected() {
					held[name] = item
				}
			}
			result := mustObserve(t, m, software(status, items...))
			past = append(past, snapshot{at: result.At, want: factsOfMap(t, held)})
		}
		for _, s := range past {
			if diff := cmp.Diff(s.want, m.held(t, "software", s.at)); diff != "" {
				rt.Fatalf("as of %v (-want +got):\n%s", s.at, diff)
			}
		}
		if diff := cmp.Diff(past[len(past)-1].want, m.held(t, "software", time.Time{})); diff != "" {
			rt.Fatalf("now (-want +got):\n%s", diff)
		}
	})
	checkCounts(t, e)
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("package-%d", i)
	}
	return list
}

func factsOfMap(t testing.TB, held map[string]*inventoryv1.Software) []string {
	t.Helper()
	var items []proto.Message
	for _, item := range held {
		items = append(items, item)
	}
	return facts(t, "software", items)
}

// checkCounts compares the counts of the software list with the devices that can be listed for it,
// before and after folding.
func checkCounts(t testing.TB, e *fixture) {
	t.Helper()
	for range 2 {
		err := e.ListSoftware(t.Context(), inventory.SoftwareQuery{}, func(s inventory.Software, _ inventory.Position) error {
			var devices int64
			err := e.ListSoftwareDevices(t.Context(), inventory.SoftwareDevicesQuery{Software: s.ID}, func(inventory.Device, inventory.Position) error {
				devices++
				return nil
			})
			if s.InstallCount != devices {
				t.Errorf("%s %s: count %d, devices %d", s.Name, s.Version, s.InstallCount, devices)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.FoldCounts(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCountsOfMachinesAlike: machines that share a base are counted by it, at every instant.
func TestCountsOfMachinesAlike(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	programs := func(own int) report {
		var items []proto.Message
		for i := range 60 {
			items = append(items, pkg(fmt.Sprintf("common-%d", i), "1"))
		}
		return software(inventory.StatusOK, append(items, pkg("own", fmt.Sprint(own)))...)
	}
	installs := func(at time.Time) map[string]int64 {
		counts := map[string]int64{}
		q := inventory.SoftwareQuery{Page: inventory.Page{AsOf: at}, Words: []string{"common"}}
		err := e.ListSoftware(t.Context(), q, func(s inventory.Software, _ inventory.Position) error {
			counts[s.Name] = s.InstallCount
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	var m *machine
	var committed []time.Time
	for i := range 6 {
		m = e.enroll(t)
		mustObserve(t, m, programs(i))
		committed = append(committed, e.now(t))
	}
	mustObserve(t, m, software(inventory.StatusOK, programs(6)["software"].items[10:]...))
	committed = append(committed, e.now(t))

	for _, folded := range []bool{false, true} {
		for i, at := range committed {
			counts := installs(at)
			for _, name := range []string{"common-0", "common-59"} {
				want := int64(i + 1)
				if i == 6 {
					want = map[string]int64{"common-0": 5, "common-59": 6}[name]
				}
				if counts[name] != want {
					t.Errorf("folded %t, after change %d: %s is counted %d times, want %d", folded, i, name, counts[name], want)
				}
			}
		}
		checkCounts(t, e)
	}
	var byBase int
	err := e.Pool.QueryRow(t.Context(), `select count(*) from item_count_log where base_ids <> '{}'`).Scan(&byBase)
	if err != nil || byBase == 0 {
		t.Errorf("%d changes are counted by a base: %v", byBase, err)
	}
}

// TestGroupsAreIndependent lets many machines in at once, one of which the store refuses to take.
func TestGroupsAreIndependent(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	var wait sync.WaitGroup
	for i := range 40 {
		m := e.enroll(t)
		obs := m.prepare(t, software(inventory.StatusOK, pkg("bash", "5.1"), pkg("only", fmt.Sprint(i))))
		bad := i == 7
		if bad {
			obs.BootID = "\x00" // what PostgreSQL refuses; rpc would have cleaned it
		}
		wait.Go(func() {
			if _, err := e.ingester.Apply(t.Context(), obs); (err != nil) != bad {
				t.Errorf("machine %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	checkCounts(t, e)
}

func TestReadingsFollowTheirItems(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	volume := func(mount string, free uint64) *inventoryv1.Volume {
		return &inventoryv1.Volume{MountPoint: mount, FsType: "ext4", FreeBytes: &free}
	}
	volumes := func(items ...proto.Message) report {
		return report{"volume": {status: inventory.StatusOK, items: items}}
	}
	mustObserve(t, m, volumes(volume("/", 10), volume("/home", 20)))
	mustObserve(t, m, volumes(volume("/", 11), volume("/home", 21), volume("/srv", 30)))

	// The delta carries the reading of what was added; the others stay as they were until the daily
	// readings.
	want := map[string]string{"/": `{"free_bytes":10}`, "/home": `{"free_bytes":20}`, "/srv": `{"free_bytes":30}`}
	if diff := cmp.Diff(want, m.readings(t, "volume")); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
	m.sendReadings(t, "volume", volume("/", 12), volume("/srv", 32), volume("/gone", 1))
	want = map[string]string{"/": `{"free_bytes":12}`, "/home": ``, "/srv": `{"free_bytes":32}`}
	if diff := cmp.Diff(want, m.readings(t, "volume")); diff != "" {
		t.Errorf("daily readings (-want +got):\n%s", diff)
	}
	if changes := m.changes(t, "volume"); len(changes) != 1 {
		t.Errorf("readings are no history: %v", changes)
	}
}

// TestDailyReadingsOfOneSection: the readings of several sections are stored together, and those of
// one section are replaced without the others.
func TestDailyReadingsOfOneSection(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	volume := func(free uint64) *inventoryv1.Volume {
		return &inventoryv1.Volume{MountPoint: "/", FsType: "ext4", FreeBytes: &free}
	}
	program := func(size uint64) *inventoryv1.Software {
		return &inventoryv1.Software{Name: "bash", Version: "5.1", Source: "dpkg", SizeBytes: &size}
	}
	check := func(after, volume, software string, rows int) {
		t.Helper()
		if diff := cmp.Diff(map[string]string{"/": volume}, m.readings(t, "volume")); diff != "" {
			t.Errorf("%s: volume (-want +got):\n%s", after, diff)
		}
		if diff := cmp.Diff(map[string]string{"": software}, m.readings(t, "software")); diff != "" {
			t.Errorf("%s: software (-want +got):\n%s", after, diff)
		}
		var got int
		if err := m.Pool.QueryRow(t.Context(), `select count(*) from reading`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != rows {
			t.Errorf("%s: %d rows, want %d", after, got, rows)
		}
	}
	both := software(inventory.StatusOK, program(1))
	both["volume"] = section{status: inventory.StatusOK, items: []proto.Message{volume(10)}}
	mustObserve(t, m, both)
	check("the first inventory", `{"free_bytes":10}`, `{"size_bytes":1}`, 1)
	m.sendReadings(t, "volume", volume(12))
	check("daily readings of volumes", `{"free_bytes":12}`, `{"size_bytes":1}`, 2)
	m.sendReadings(t, "volume", volume(13))
	check("the next ones", `{"free_bytes":13}`, `{"size_bytes":1}`, 2)
	m.sendReadings(t, "software", program(2))
	check("daily readings of software", `{"free_bytes":13}`, `{"size_bytes":2}`, 2)
}

func (m *machine) readings(t testing.TB, name string) map[string]string {
	t.Helper()
	record, err := m.Record(t.Context(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	s, values := lookup(t, name), map[string]string{}
	err = m.ListDeviceItems(t.Context(), inventory.ItemQuery{Device: record.CI, Section: name}, func(item inventory.HeldItem, _ inventory.Position) error {
		var f struct {
			MountPoint string `json:"mount_point"`
		}
		unmarshal(t, item.Facts, &f)
		values[f.MountPoint] = ""
		if item.Readings != nil {
			m, err := s.Decode(item.Readings)
			if err != nil {
				return err
			}
			values[f.MountPoint] = string(s.AppendReadings(nil, m))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func (m *machine) sendReadings(t testing.TB, name string, items ...proto.Message) {
	t.Helper()
	obs := m.prepare(t, report{})
	u := &ingest.Update{Section: lookup(t, name), ReadingsOnly: true}
	payload := &inventoryv1.Items{}
	for _, item := range setOf(t, name, items).Items() {
		payload.Readings = append(payload.Readings, &inventoryv1.Reading{KeyHash: uint64(item.KeyHash), Readings: item.Readings})
	}
	if err := m.decoder.Add(u, pack(t, payload)); err != nil {
		t.Fatal(err)
	}
	obs.Updates = []*ingest.Update{u}
	if _, err := m.ingester.Apply(t.Context(), obs); err != nil {
		t.Fatal(err)
	}
}

func TestDeviceFollowsItsDescription(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	describe := func(host, serial string) report {
		notebook := uint32(10)
		return report{
			"system": {status: inventory.StatusOK, items: []proto.Message{&inventoryv1.System{
				Manufacturer: "Dell Inc.", ProductName: "Latitude 7440", SerialNumber: serial, ChassisTypeCode: &notebook,
			}}},
			"os": {status: inventory.StatusOK, items: []proto.Message{&inventoryv1.OperatingSystem{
				Name: "Debian GNU/Linux", Version: "12", Hostname: host,
			}}},
		}
	}
	first := mustObserve(t, m, describe("desk-1", "ABC1234"))
	mustObserve(t, m, describe("desk-2", "ABC1234"))
	record, err := m.Record(t.Context(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	for at, name := range map[time.Time]string{{}: "desk-2", first.At: "desk-1"} {
		device, _, err := m.Device(t.Context(), record.CI, at)
		if err != nil {
			t.Fatal(err)
		}
		device.FirstSeen, device.LastSeen = time.Time{}, nil
		want := inventory.Device{
			ID: record.CI, Name: name, Class: "laptop", Manufacturer: "Dell Inc.", Model: "Latitude 7440",
			SerialNumber: "ABC1234", OSName: "Debian GNU/Linux", OSVersion: "12",
		}
		if diff := cmp.Diff(want, device); diff != "" {
			t.Errorf("device as of %v (-want +got):\n%s", at, diff)
		}
	}
}

// TestUpdateThatDoesNotAddUp sends what was lost on the way.
func TestUpdateThatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	obs := m.prepare(t, software(inventory.StatusOK, pkg("bash", "5.1"), pkg("vim", "9")))
	lossy := &ingest.Update{Section: lookup(t, "software"), Root: obs.Updates[0].Root}
	half := added(wire.Set{}, setOf(t, "software", []proto.Message{pkg("bash", "5.1")}))
	if err := m.decoder.Add(lossy, pack(t, &inventoryv1.Items{Added: half})); err != nil {
		t.Fatal(err)
	}
	obs.Updates[0] = lossy
	var mismatch *ingest.MismatchError
	if _, err := m.ingester.Apply(t.Context(), obs); !errors.As(err, &mismatch) {
		t.Errorf("got %v, want a mismatch", err)
	}
	if got := m.mustRecord(t).CI; got != "" {
		t.Errorf("the record got device %s from an inventory that was refused", got)
	}
}

// TestSearchFindsEveryVersion has versions of one program come at once and one after another. A
// search finds all of them, and the search index has their name once.
func TestSearchFindsEveryVersion(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	mustObserve(t, e.enroll(t), software(inventory.StatusOK, pkg("firefox", "128"), pkg("firefox", "140"), pkg("vim", "9")))
	mustObserve(t, e.enroll(t), software(inventory.StatusOK, pkg("firefox", "141"), pkg("firefox-esr", "140")))
	var found []string
	q := inventory.SoftwareQuery{Words: []string{"FIRE", "fox"}}
	err := e.ListSoftware(t.Context(), q, func(s inventory.Software, _ inventory.Position) error {
		found = append(found, s.Name+" "+s.Version)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if want := []string{"firefox 128", "firefox 140", "firefox 141", "firefox-esr 140"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	var indexed int
	if err := e.Pool.QueryRow(t.Context(), `select count(*) from software where is_title`).Scan(&indexed); err != nil {
		t.Fatal(err)
	}
	if indexed != 3 {
		t.Errorf("%d names are in the search index, want 3", indexed)
	}
}
