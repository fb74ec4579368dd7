package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// TestNewRecordsWithTiesAreNotIsolated covers records that report no identifier of another record
// and still belong to a known CI: rows that name the CI, and declarations about merged CIs.
func TestNewRecordsWithTiesAreNotIsolated(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	create := func(tag string) string {
		t.Helper()
		ci, err := e.CreateCI(t.Context(), inventory.NewCI{
			Class: "monitor", Name: "Screen " + tag, Attributes: inventory.Attributes{"asset_tag": tag},
		}, auditor)
		if err != nil {
			t.Fatal(err)
		}
		return ci
	}
	row := func(name, tag, serial string) inventory.ImportRow {
		t.Helper()
		mapping := `{"match": "asset_tag", "class": "monitor", "columns": {"Tag": "asset_tag", "Owner": "owner", "Serial": "serial_number"}}`
		body := fmt.Sprintf("Tag;Owner;Serial\n%s;Ada;%s\n", tag, serial)
		report := e.load(t, "csv", body, inventory.ImportOptions{Name: name, Mapping: []byte(mapping)})
		if len(report.Documents) != 1 || report.Documents[0].Problem != "" {
			t.Fatalf("import: %+v", report)
		}
		return report.Documents[0]
	}
	plain, serial := create("M-1"), create("M-2")
	for _, c := range []struct{ what, got, want string }{
		{"a row without identifiers", row("plain", "M-1", "").CI, plain},
		{"a row with a new serial number", row("serial", "M-2", "SN-4711").CI, serial},
	} {
		if c.got != c.want {
			t.Errorf("%s is the CI %s, want %s", c.what, c.got, c.want)
		}
	}
	merged, err := e.MergeCIs(t.Context(), []string{plain, serial}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	class := "monitor"
	for _, id := range []string{plain, serial} {
		declaration := inventory.Declaration{Class: &class, Attributes: map[string]any{"location": "Berlin"}}
		if err := e.DeclareCI(t.Context(), id, declaration, auditor); err != nil {
			t.Fatal(err)
		}
		if ci := e.ci(t, id, time.Time{}); ci.ID != merged || ci.Attributes["location"] != "Berlin" {
			t.Errorf("after a declaration %s is the CI %s in %v, want %s in Berlin", id, ci.ID, ci.Attributes["location"], merged)
		}
	}
	if n := e.count(t, "monitor"); n != 1 {
		t.Errorf("%d monitors, want 1", n)
	}
}

// TestDeclarationIsNotANewCI: what a person declares about a known CI is linked with its records.
// The decision does not name it as the record that created the CI.
func TestDeclarationIsNotANewCI(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	_, ci := e.agent(t, laptop(1))
	class := "laptop"
	declaration := inventory.Declaration{Class: &class, Attributes: map[string]any{"owner": "Ada"}}
	if err := e.DeclareCI(t.Context(), ci, declaration, auditor); err != nil {
		t.Fatal(err)
	}
	identity, err := e.Identity(t.Context(), ci, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	created := 0
	for _, decision := range identity.Decisions {
		if decision.Action == inventory.ActionCreated {
			created++
		}
	}
	if len(identity.Records) != 2 || created != 1 {
		t.Errorf("%d records, %d of them created the CI; want 2 and 1: %+v", len(identity.Records), created, identity.Decisions)
	}
}
