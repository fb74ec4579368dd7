package importer_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
)

// recorded maps files with the expected results of a GLPI agent's tests on real machines to their
// sections.
var recorded = map[string]struct{ from, section string }{
	"generic-dmidecode-memory.json": {"memories", "memory"},
	"macos-memory.json":             {"memories", "memory"},
	"macos-storages.json":           {"storages", "storage"},
	"windows-cpu.json":              {"cpus", "cpu"},
	"windows-drives.json":           {"drives", "volume"},
	"windows-softwares.json":        {"softwares", "software"},
	"windows-storages.json":         {"storages", "storage"},
}

// TestNothingIsLostSilently: each entry of many machines becomes an item or a warning. A section
// with a skipped entry is not complete.
func TestNothingIsLostSilently(t *testing.T) {
	t.Parallel()
	for _, file := range corpus(t, "glpi-agent", "expected", "*.json") {
		lists, wanted := recorded[filepath.Base(file)]
		if !wanted {
			continue
		}
		machines := machinesOf(t, load(t, file))
		if len(machines) == 0 {
			t.Errorf("%s: no lists in it", filepath.Base(file))
		}
		for name, entries := range machines {
			t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
				t.Parallel()
				message, err := json.Marshal(map[string]any{"deviceid": name, "content": map[string]any{lists.from: entries}})
				if err != nil {
					t.Fatal(err)
				}
				d := one(t, "glpi-json", message)
				d.Source += ":test"
				checkDocument(t, d)
				s := section(d, lists.section)
				if s == nil {
					t.Fatal("no section")
				}
				if lost := distinct(entries) - len(s.Items); lost > len(d.Warnings) {
					t.Errorf("%d entries, %d items, %d warnings", distinct(entries), len(s.Items), len(d.Warnings))
				}
				if s.Status == inventory.StatusOK && len(s.Items) == 0 {
					t.Error("a list of entries has become a complete list of nothing")
				}
			})
		}
	}
}

// machinesOf returns the lists of entries in a file of expected results, whatever their names are.
func machinesOf(t *testing.T, data []byte) map[string][]map[string]any {
	t.Helper()
	var groups map[string]json.RawMessage
	if err := json.Unmarshal(data, &groups); err != nil {
		t.Fatal(err)
	}
	found := map[string][]map[string]any{}
	for _, group := range groups {
		var cases map[string]struct{ Expected json.RawMessage }
		if json.Unmarshal(group, &cases) != nil {
			continue // where the file is from
		}
		for name, c := range cases {
			var entries []map[string]any
			if json.Unmarshal(c.Expected, &entries) == nil && len(entries) > 0 {
				found[name] = entries
			}
		}
	}
	return found
}

// distinct counts the entries without duplicates.
func distinct(entries []map[string]any) int {
	seen := map[string]bool{}
	for _, e := range entries {
		text := ""
		for _, field := range slices.Sorted(maps.Keys(e)) {
			value, err := json.Marshal(e[field])
			if err != nil {
				panic(err)
			}
			text += field + string(value)
		}
		seen[text] = true
	}
	return len(seen)
}
