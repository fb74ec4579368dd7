package ingest_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// smbiosMachines returns the system sections of real machines, by their names.
func smbiosMachines(t *testing.T) map[string]*inventoryv1.System {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "corpora", "smbios")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the corpora are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	machines := map[string]*inventoryv1.System{}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name(), "expected.json"))
		if err != nil {
			t.Fatal(err)
		}
		machines[entry.Name()] = systemOf(t, content)
	}
	return machines
}

func systemOf(t *testing.T, content []byte) *inventoryv1.System {
	t.Helper()
	var table struct {
		System     map[string]any
		Baseboards []map[string]any
		Chassis    []map[string]any
	}
	if err := json.Unmarshal(content, &table); err != nil {
		t.Fatal(err)
	}
	text := func(of map[string]any, name string) string {
		value, _ := of[name].(string)
		return value
	}
	system := &inventoryv1.System{
		Manufacturer: text(table.System, "manufacturer"), ProductName: text(table.System, "product"),
		SerialNumber: text(table.System, "serial"), Uuid: strings.ToLower(text(table.System, "uuid")),
	}
	if len(table.Baseboards) > 0 {
		system.BoardManufacturer, system.BoardSerial = text(table.Baseboards[0], "manufacturer"), text(table.Baseboards[0], "serial")
	}
	if len(table.Chassis) > 0 {
		system.ChassisManufacturer, system.ChassisSerial = text(table.Chassis[0], "manufacturer"), text(table.Chassis[0], "serial")
	}
	return system
}

// TestRealMachinesInAnyOrder has the machines of the SMBIOS corpus report in five orders, twice
// each.
func TestRealMachinesInAnyOrder(t *testing.T) {
	t.Parallel()
	machines := smbiosMachines(t)
	names := slices.Sorted(maps.Keys(machines))
	var first [][]string
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 7))
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		e, agents := newFixture(t), map[string]*machine{}
		for range 2 {
			for _, name := range names {
				if agents[name] == nil {
					agents[name] = e.enroll(t)
				}
				mustObserve(t, agents[name], report{"system": ok(machines[name])})
			}
		}
		groups := groupsOf(t, agents)
		if first == nil {
			first = groups
			t.Logf("%d machines are %d devices", len(names), len(groups))
		}
		if diff := gocmp.Diff(first, groups); diff != "" {
			t.Errorf("order %d makes other devices (-first +this):\n%s", seed, diff)
		}
	}
	for _, group := range first {
		for _, name := range group[1:] {
			a, b := machines[group[0]], machines[name]
			t.Logf("%s and %s are one: serial %q, uuid %s", group[0], name, a.GetSerialNumber(), a.GetUuid())
			if a.GetSerialNumber() != b.GetSerialNumber() || a.GetUuid() != b.GetUuid() || len(a.GetUuid()) == 0 {
				t.Errorf("%s and %s are not one machine", group[0], name)
			}
		}
	}
}

// groupsOf lists the names of the machines that are one device, sorted.
func groupsOf(t *testing.T, agents map[string]*machine) [][]string {
	t.Helper()
	byCI := map[string][]string{}
	for name, m := range agents {
		ci := m.mustRecord(t).CI
		byCI[ci] = append(byCI[ci], name)
	}
	groups := slices.Collect(maps.Values(byCI))
	for _, group := range groups {
		slices.Sort(group)
	}
	slices.SortFunc(groups, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return groups
}
