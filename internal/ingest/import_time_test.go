package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// dated returns an inventory of a GLPI agent with the date of its log; "": without one.
func dated(date, version string) string {
	log := ""
	if date != "" {
		log = fmt.Sprintf(`"accesslog": {"logdate": %q}, `, date)
	}
	return fmt.Sprintf(`{"deviceid": "pc-1", "content": {%s"hardware": {"name": "pc-1"}, "bios": {"smanufacturer": "Dell Inc.", "ssn": "GLPI0001"},
		"operatingsystem": {"name": "Debian", "version": %q}, "softwares": [{"name": "bash", "version": %q}]}}`, log, version, version)
}

// TestOlderDocuments: whatever the order of import, the newest document counts. An older one
// changes nothing, and the report says so.
func TestOlderDocuments(t *testing.T) {
	t.Parallel()
	first, second, third := dated("2020-06-12 14:19:54", "10"), dated("2021-06-12 14:19:54", "11"), dated("2022-06-12 14:19:54", "12")
	for _, c := range []struct {
		name  string
		files []string
		want  string
		older int
	}{
		{"forward", []string{first, second, third}, "12", 0},
		{"backward", []string{third, second, first}, "12", 2},
		{"twice", []string{first, third, first, third, second}, "12", 2},
		{"without a date after all", []string{third, dated("", "13"), third}, "13", 1},
		{"a date in the future is the time of receipt", []string{dated("2999-01-01 00:00:00", "14"), dated("", "15")}, "15", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			var ci string
			older := 0
			for _, file := range c.files {
				row := e.load(t, "glpi-json", file, inventory.ImportOptions{}).Documents[0]
				ci = row.CI
				if strings.Contains(strings.Join(row.Warnings, " "), "older than what is held: not applied") {
					older++
					if row.Outcome != "unchanged" {
						t.Errorf("an older document: %+v", row)
					}
				}
			}
			if got := e.ci(t, ci, time.Time{}).Attributes["os_version"]; got != c.want || older != c.older {
				t.Errorf("os_version %v, want %s; %d documents were older, want %d", got, c.want, older, c.older)
			}
		})
	}
}

// TestFilesAreNoSightings: a list and a file of an inventory do not move when a CI was last seen,
// and do not restore a retired one. What a machine sends itself does both.
func TestFilesAreNoSightings(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	_, known := e.agent(t, laptop(1))
	before := e.ci(t, known, time.Time{}).LastSeen
	list := "serial_number;manufacturer;owner\n" + laptop(1).serial + ";Dell;Ada\n"
	if row := e.load(t, "csv", list, inventory.ImportOptions{}).Documents[0]; row.CI != known {
		t.Fatalf("the list: %+v", row)
	}
	if diff := cmp.Diff(before, e.ci(t, known, time.Time{}).LastSeen); diff != "" {
		t.Errorf("a list moved last_seen (-before +after):\n%s", diff)
	}
	file := e.load(t, "glpi-json", dated("", "12"), inventory.ImportOptions{}).Documents[0].CI
	if seen := e.ci(t, file, time.Time{}).LastSeen; seen != nil {
		t.Errorf("a file: last seen %v", seen)
	}
	if err := e.RetireCI(t.Context(), file, auditor); err != nil {
		t.Fatal(err)
	}
	e.load(t, "glpi-json", dated("", "13"), inventory.ImportOptions{})
	if e.ci(t, file, time.Time{}).RetiredAt == nil {
		t.Error("a file restored a retired CI")
	}
	e.load(t, "glpi-json", dated("", "14"), inventory.ImportOptions{Live: true})
	if got := e.ci(t, file, time.Time{}); got.RetiredAt != nil || got.LastSeen == nil {
		t.Errorf("a report of the machine itself: retired at %v, last seen %v", got.RetiredAt, got.LastSeen)
	}
}
