package main

import (
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/internal/inventory"
)

// coverage is the table "What is collected where" of README.md: the cells of the systems, by
// section.
func coverage(t *testing.T) (sections []string, cells map[string]map[string]string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| section | Linux | Windows | macOS |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("README.md has no table of the systems")
	}
	cells = map[string]map[string]string{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		f := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(f) != 4 {
			t.Fatalf("%d cells in %s", len(f), line)
		}
		name := strings.Trim(strings.TrimSpace(f[0]), "`")
		sections = append(sections, name)
		cells[name] = map[string]string{
			"linux": strings.TrimSpace(f[1]), "windows": strings.TrimSpace(f[2]), "darwin": strings.TrimSpace(f[3]),
		}
	}
	return sections, cells
}

// TestReadmeNamesSections: the table has a row per section, in the order of sections.go, and says
// of each system what it collects and from where.
func TestReadmeNamesSections(t *testing.T) {
	t.Parallel()
	sections, cells := coverage(t)
	var want []string
	for _, c := range collectors() {
		want = append(want, c.Name)
	}
	if diff := cmp.Diff(want, sections); diff != "" {
		t.Errorf("rows of README.md (-sections.go +README.md):\n%s", diff)
	}
	form := regexp.MustCompile(`^(no|(yes|partly): .+)$`)
	for name, systems := range cells {
		for system, cell := range systems {
			if !form.MatchString(cell) {
				t.Errorf("%s on %s: %q is not no, yes: SOURCE or partly: SOURCE", name, system, cell)
			}
		}
	}
}

// TestReadmeIsTrue collects every section on this machine: it supports no section that the table
// denies, and no section that the table claims is left to another system.
func TestReadmeIsTrue(t *testing.T) {
	t.Parallel()
	_, cells := coverage(t)
	for _, report := range section.Run(t.Context(), host.Local(), collectors()) {
		cell, claimed := cells[report.Section][runtime.GOOS]
		elsewhere := report.Status == inventory.StatusUnsupported && strings.Contains(report.Message, "collected on "+runtime.GOOS)
		if claimed && cell == "no" && report.Status != inventory.StatusUnsupported {
			t.Errorf("%s: README.md says no, but the status is %s", report.Section, report.Status)
		}
		if cell != "no" && elsewhere {
			t.Errorf("%s: README.md says %q, but: %s", report.Section, cell, report.Message)
		}
	}
}
