package ingest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// TestSameAttributesSameIdentifiers declares the same attributes as a row of a list and as a
// person: both are the same evidence.
func TestSameAttributesSameIdentifiers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		class      string
		attributes map[string]string
		want       []string
	}{
		"several MAC addresses": {
			"laptop", map[string]string{"asset_tag": "1", "mac_address": "a4:bb:6d:01:02:03 a4:bb:6d:01:02:04"},
			[]string{"mac:|a4:bb:6d:01:02:03", "mac:|a4:bb:6d:01:02:04"},
		},
		"the name of a computer is its host name": {
			"laptop", map[string]string{"name": "pc-7"}, []string{"name:|pc-7"},
		},
		"a host name beside the name": {
			"server", map[string]string{"name": "Mail", "hostname": "mx1"}, []string{"name:|mx1"},
		},
		"the name of a monitor is not a host name": {
			"monitor", map[string]string{"name": "Reception", "serial_number": "CN-0123", "manufacturer": "Dell"},
			[]string{"serial:dell|cn-0123", "serial_unscoped:|cn-0123"},
		},
		"a class below computer": {"thin_client", map[string]string{"name": "tc-1"}, []string{"name:|tc-1"}},
		"an installation": {
			"operating_system_installation", map[string]string{"install_id": "1f0c2d3e4b5a69788796a5b4c3d2e1f0", "name": "Debian"},
			[]string{"os:|1f0c2d3e4b5a69788796a5b4c3d2e1f0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			thin := inventory.Class{Name: "thin_client", Parent: "computer", Label: "Thin client"}
			if err := e.CreateClass(t.Context(), thin); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, e.identifiersOfRow(t, c.class, c.attributes)); diff != "" {
				t.Errorf("of a row (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, e.identifiersOfPerson(t, c.class, c.attributes)); diff != "" {
				t.Errorf("of a person (-want +got):\n%s", diff)
			}
		})
	}
}

func (e *fixture) identifiersOfRow(t *testing.T, class string, attributes map[string]string) []string {
	t.Helper()
	header, row := "key", "1"
	columns := ""
	for name, value := range attributes {
		header += "," + name
		row += "," + value
		columns += fmt.Sprintf(`, %q: %q`, name, name)
	}
	mapping := fmt.Sprintf(`{"key": ["key"], "class": %q, "columns": {%s}}`, class, columns[2:])
	report := e.load(t, "csv", header+"\n"+row+"\n", inventory.ImportOptions{Mapping: []byte(mapping)})
	return e.identifiers(t, report.Documents[0].CI, "csv")
}

func (e *fixture) identifiersOfPerson(t *testing.T, class string, attributes map[string]string) []string {
	t.Helper()
	c := inventory.NewCI{Class: class, Attributes: inventory.Attributes{}}
	for name, value := range attributes {
		if name == "name" {
			c.Name = value
		} else {
			c.Attributes[name] = value
		}
	}
	ci, err := e.CreateCI(t.Context(), c, auditor)
	if err != nil {
		t.Fatal(err)
	}
	return e.identifiers(t, ci, "manual")
}

// identifiers returns the identifiers that a CI's record of a source reports.
func (e *fixture) identifiers(t *testing.T, ci, source string) []string {
	t.Helper()
	identity, err := e.Identity(t.Context(), ci, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, record := range identity.Records {
		for _, history := range record.Identifiers {
			if record.Source == source {
				found = append(found, fmt.Sprint(history.Identifier))
			}
		}
	}
	slices.Sort(found)
	return found
}
