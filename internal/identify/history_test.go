package identify_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

func TestWithHistory(t *testing.T) {
	t.Parallel()
	ended, late := day(4), day(6)
	record := inventory.RecordEvidence{Record: 7, CreatedAt: day(1), SeenAt: day(5)}
	for name, c := range map[string]struct {
		history []inventory.IdentifierHistory
		seen    time.Time
		want    []inventory.IdentifierInterval
	}{
		"none": {nil, day(5), nil},
		"one that is reported, and one that is not": {
			[]inventory.IdentifierHistory{
				{Identifier: "os:|a", FirstSeen: day(2)},
				{Identifier: "os:|b", FirstSeen: day(1), LastSeen: &ended},
			},
			day(5),
			[]inventory.IdentifierInterval{
				{Identifier: "os:|a", First: day(2), Last: day(5)},
				{Identifier: "os:|b", First: day(1), Last: ended.Add(-time.Microsecond)},
			},
		},
		"a report that is later than the time of the check-in": {
			[]inventory.IdentifierHistory{
				{Identifier: "os:|a", FirstSeen: day(2)},
				{Identifier: "os:|b", FirstSeen: day(2), LastSeen: &late},
			},
			late,
			[]inventory.IdentifierInterval{
				{Identifier: "os:|a", First: day(2), Last: late},
				{Identifier: "os:|b", First: day(2), Last: late.Add(-time.Microsecond)},
			},
		},
	} {
		want := record
		want.SeenAt, want.Identifiers = c.seen, c.want
		if diff := cmp.Diff(want, identify.WithHistory(record, c.history)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHostIdentifiers(t *testing.T) {
	t.Parallel()
	ids := inventory.RawIdentifiers{
		Manufacturer: "Dell", SerialNumber: "7KNZB12", OSInstallID: "1f0c1e7a9d3b4c5e8f6a7b8c9d0e1f21",
	}
	for container, want := range map[string][]inventory.Identifier{"": {}, "docker": {"serial:dell|7knzb12"}} {
		ids.Container = container
		_, rejected := identify.Default().Normalize(ids)
		if diff := cmp.Diff(want, identify.HostIdentifiers(rejected)); diff != "" {
			t.Errorf("in container %q (-want +got):\n%s", container, diff)
		}
	}
}
