package e2e

import (
	"encoding/json"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// item is the facts of an item as JSON with sorted fields.
type item = string

// held returns the facts of a device's section in the API, sorted.
func (c *collector) held(t testing.TB, device, section string, at time.Time) []item {
	t.Helper()
	readings := readingsOf(t, section)
	var items []item
	for _, fields := range list[map[string]any](t, c, "/api/v1/devices/"+device+"/sections/"+section, asOf(at)) {
		delete(fields, "software_id")
		for _, reading := range readings {
			delete(fields, reading)
		}
		items = append(items, encode(t, fields))
	}
	slices.Sort(items)
	return items
}

// readingsOf returns the names of a section's readings.
func readingsOf(t testing.TB, section string) []string {
	t.Helper()
	s, ok := wire.Lookup(section)
	if !ok {
		t.Fatalf("no section %s", section)
	}
	var names []string
	fields := s.New().Descriptor().Fields()
	for i := range fields.Len() {
		if isReading(fields.Get(i)) {
			names = append(names, string(fields.Get(i).Name()))
		}
	}
	return names
}

func isReading(field protoreflect.FieldDescriptor) bool {
	reading, _ := proto.GetExtension(field.Options(), inventoryv1.E_Reading).(bool)
	return reading
}

func encode(t testing.TB, fields map[string]any) item {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// facts returns the facts of a section of the machine, in the same form.
func (m *machine) facts(t testing.TB, section string) []item {
	t.Helper()
	s, ok := wire.Lookup(section)
	if !ok {
		t.Fatalf("no section %s", section)
	}
	var items []item
	for _, message := range m.items()[section] {
		var fields map[string]any
		if err := json.Unmarshal(s.AppendFacts(nil, message.ProtoReflect()), &fields); err != nil {
			t.Fatal(err)
		}
		items = append(items, encode(t, fields))
	}
	slices.Sort(items)
	return items
}

// checkEqual compares what the collector holds of an agent's machine with the machine, section by
// section.
func checkEqual(t testing.TB, c *collector, a *agent, m *machine) {
	t.Helper()
	if a.device == "" {
		a.device = c.deviceOf(t, a.id(t))
	}
	for _, section := range sections {
		if diff := cmp.Diff(m.facts(t, section), c.held(t, a.device, section, time.Time{})); diff != "" {
			t.Fatalf("%s of the machine and of the collector (-want +got):\n%s", section, diff)
		}
	}
}

// feed returns the changes of a device, oldest first; those of one instant together, sorted.
func (c *collector) feed(t testing.TB, device string, query url.Values) [][]change {
	t.Helper()
	type entry struct {
		change

		At time.Time `json:"at"`
	}
	entries := list[entry](t, c, "/api/v1/devices/"+device+"/changes", query)
	slices.Reverse(entries)
	var groups [][]change
	for i, e := range entries {
		if i == 0 || !e.At.Equal(entries[i-1].At) {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], e.change)
	}
	for _, group := range groups {
		sortChanges(group)
	}
	return groups
}

// checkFeed compares the change feed with the changes that were made. All changes between two
// check-ins are one group, so that an inventory applied in two halves is detected.
func checkFeed(t testing.TB, c *collector, device string, want [][]change) {
	t.Helper()
	if diff := cmp.Diff(want, c.feed(t, device, nil)); diff != "" {
		t.Errorf("changes that were made and changes in the feed (-want +got):\n%s", diff)
	}
}

// checkCounts compares the install counts with the given machines, which are all machines.
func checkCounts(t testing.TB, c *collector, machines ...*machine) {
	t.Helper()
	want := map[string]int64{}
	for _, m := range machines {
		for _, message := range m.items()["software"] {
			s := message.(*inventoryv1.Software)
			want[s.GetName()+" "+s.GetVersion()]++
		}
	}
	got := map[string]int64{}
	for _, s := range list[struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Count   int64  `json:"install_count"`
	}](t, c, "/api/v1/software", nil) {
		got[s.Name+" "+s.Version] += s.Count
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("install counts (-want +got):\n%s", diff)
	}
}

// checkDevices checks the number of devices.
func checkDevices(t testing.TB, c *collector, want int) {
	t.Helper()
	if got := c.devices(t); len(got) != want {
		t.Errorf("got %d devices, want %d: %+v", len(got), want, got)
	}
}
