package ingest_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// caseFile reads a file of the cases that lie beside the project, or skips the test.
func caseFile(t testing.TB, folder, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "cases", folder, name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the cases are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// serials returns the serial numbers of the CIs of a class, sorted.
func (e *fixture) serials(t testing.TB, class string) []string {
	t.Helper()
	var serials []string
	if err := e.ListCIs(t.Context(), inventory.CIQuery{Class: class}, func(ci inventory.CI, _ inventory.Position) error {
		serial, _ := ci.Attributes["serial_number"].(string)
		serials = append(serials, serial)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(serials)
	return serials
}

func (e *fixture) wantSerials(t testing.TB, when, class string, want ...string) {
	t.Helper()
	if got := e.serials(t, class); !slices.Equal(got, want) {
		t.Errorf("%s: serial numbers of %s %q, want %q", when, class, got, want)
	}
}

// TestCaseDeviceIDInImage: of a kind in which the key of another tool is on two machines. Each
// machine is a CI, in whatever order their inventories arrive, and a finding names both.
func TestCaseDeviceIDInImage(t *testing.T) {
	t.Parallel()
	a, b := caseFile(t, "identity-deviceid-in-image", "1-a.json"), caseFile(t, "identity-deviceid-in-image", "2-b.json")
	third := strings.NewReplacer("J8SERB", "J8SERC", "J8B", "J8C", "5031a2", "5031a3", "80:00:02", "80:00:03").Replace(b)
	board := strings.Replace(a, "a4:bb:6d:80:00:01", "a4:bb:6d:80:00:99", 1) // one family: a card was replaced
	for name, c := range map[string]struct{ files, want []string }{
		"in turns":           {[]string{a, b, a}, []string{"J8SERA", "J8SERB"}},
		"the other way":      {[]string{b, a, b, b}, []string{"J8SERA", "J8SERB"}},
		"three":              {[]string{a, b, third, b, a, third}, []string{"J8SERA", "J8SERB", "J8SERC"}},
		"one family differs": {[]string{a, board, a}, []string{"J8SERA"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			var last inventory.ImportReport
			for _, file := range c.files {
				last = e.load(t, "glpi-json", file, inventory.ImportOptions{})
			}
			e.wantSerials(t, name, "computer", c.want...)
			findings := e.openFindings(t, last.Documents[0].CI)
			if got := slices.Contains(findings, inventory.FindingClone); got != (len(c.want) > 1) {
				t.Errorf("findings %v", findings)
			}
			again := e.load(t, "glpi-json", c.files[len(c.files)-1], inventory.ImportOptions{})
			if again.Unchanged != 1 {
				t.Errorf("a second import: %+v", again)
			}
		})
	}
}

// TestCaseTwoDongles: of a kind in which agreement hides a contradiction.
func TestCaseTwoDongles(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for _, name := range []string{"a.json", "b.json", "a.json"} {
		e.load(t, "glpi-json", caseFile(t, "identity-two-dongles", name), inventory.ImportOptions{})
	}
	if n := e.count(t, "computer"); n != 2 {
		t.Errorf("%d computers, want 2", n)
	}
}

// TestCaseMakerHPE: of a kind in which a maker has several names.
func TestCaseMakerHPE(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	server := e.load(t, "glpi-json", caseFile(t, "maker-hp-hpe", "server.json"), inventory.ImportOptions{})
	orders := e.load(t, "csv", caseFile(t, "maker-hp-hpe", "purchases.csv"), inventory.ImportOptions{Name: "purchases"})
	if orders.Documents[0].CI != server.Documents[0].CI || orders.Documents[1].CI == orders.Documents[0].CI {
		t.Errorf("the server is %s, the orders are %s and %s", server.Documents[0].CI, orders.Documents[0].CI, orders.Documents[1].CI)
	}
	if got := e.ci(t, server.Documents[0].CI, time.Time{}).Attributes["purchase_order"]; got != "PO-J3" {
		t.Errorf("purchase order %v", got)
	}
	e.wantReview(t, "one maker", "")
	for _, row := range []string{
		"Hewlett-Packard GmbH,x,CZ3J3000AB\n", "HP Deutschland GmbH,x,CZ3J3000AB\n", "hp inc.,x, cz3j3000ab\n",
	} {
		report := e.load(t, "csv", "Manufacturer,Model,Serial Number\n"+row, inventory.ImportOptions{Name: "more"})
		if report.Documents[0].CI != server.Documents[0].CI {
			t.Errorf("%q is another CI", row)
		}
	}
	other := e.load(t, "csv", "Manufacturer,Model,Serial Number\nDell,x,CZ3J3000AB\n", inventory.ImportOptions{Name: "dell"})
	if other.Documents[0].CI == server.Documents[0].CI {
		t.Error("a machine of Dell is the server of HP")
	}
}

// TestCaseMonitorsWithOneText: of a kind in which a maker prints one text on many units.
func TestCaseMonitorsWithOneText(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	load := func(name string) string {
		return e.load(t, "glpi-json", caseFile(t, "monitor-same-text", name), inventory.ImportOptions{}).Documents[0].CI
	}
	a, b := load("a.json"), load("b.json")
	if n := e.count(t, "monitor"); n != 2 {
		t.Errorf("%d monitors at two computers, want 2", n)
	}
	monitors := append(e.related(t, a, "connected_to", time.Time{}), e.related(t, b, "connected_to", time.Time{})...)
	load("a.json")
	e.silence(t, 2*time.Hour)
	moved := e.related(t, load("both.json"), "connected_to", time.Time{})
	slices.Sort(monitors)
	slices.Sort(moved)
	if !slices.Equal(monitors, moved) || e.count(t, "monitor") != 2 {
		t.Errorf("the monitors %v are %v at the third computer, of %d", monitors, moved, e.count(t, "monitor"))
	}
	if left := append(e.related(t, a, "connected_to", time.Time{}), e.related(t, b, "connected_to", time.Time{})...); len(left) > 0 {
		t.Errorf("%v stayed behind", left)
	}
}

// TestCaseScientificSerial: of a kind in which a spreadsheet changed what identifies.
func TestCaseScientificSerial(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	cis := map[string]bool{}
	list := e.load(t, "csv", caseFile(t, "csv-scientific-serial", "input.csv"), inventory.ImportOptions{Name: "a"})
	for _, row := range list.Documents {
		cis[row.CI] = true
		if len(row.Warnings) == 0 {
			t.Errorf("%s: no warning", row.Position)
		}
	}
	if len(cis) != 2 {
		t.Errorf("2 rows are %d CIs", len(cis))
	}
}
