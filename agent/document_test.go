package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// reports returns two sections: one with all special cases, one denied.
func reports() []section.Report {
	return []section.Report{
		{
			Section: "software", Status: inventory.StatusPartial, Message: "rpm: \x1b[31mlocked", Duration: 3700 * time.Microsecond,
			Items: []proto.Message{
				&inventoryv1.Software{
					Source: "dpkg", Name: "bash", Version: "5.2", SizeBytes: proto.Uint64(7),
					InstallDate: &timestamppb.Timestamp{Seconds: 1700000000},
				},
				&inventoryv1.Software{Source: "dpkg", Name: "caf\xe9", Publisher: strings.Repeat("long ", 20)},
			},
		},
		{Section: "memory", Status: inventory.StatusDenied, Message: "open DMI: permission denied"},
	}
}

func TestRenderJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := render(&out, "json", reports()); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "\n  \"sections\"")
	want := `: {
    "software": {
      "status": "partial",
      "message": "rpm: \u001b[31mlocked",
      "duration_ms": 3,
      "verdicts": [{"section":"software","item":"dpkg caf�","outcome":"cleaned","reason":"not valid UTF-8: name"}],
      "items": [
        {"source":"dpkg","name":"bash","version":"5.2","install_date":"2023-11-14T22:13:20Z","size_bytes":7},
        {"source":"dpkg","name":"caf�","publisher":"` + strings.Repeat("long ", 20) + `"}
      ]
    },
    "memory": {
      "status": "denied",
      "message": "open DMI: permission denied",
      "duration_ms": 0,
      "items": []
    }
  }
}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if doc := parse(t, out.Bytes()); doc.Agent["os"] == "" || doc.Agent["arch"] == "" || doc.Agent["version"] == "" {
		t.Errorf("agent = %v", doc.Agent)
	}
}

func TestRenderTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := render(&out, "table", reports()); err != nil {
		t.Fatal(err)
	}
	want := `software: partial, 2 items, 3 ms
  rpm: �[31mlocked
  dpkg caf� was cleaned: not valid UTF-8: name
  SOURCE  NAME  VERSION  PUBLISHER                                         INSTALL_DATE          SIZE_BYTES
  dpkg    bash  5.2                                                        2023-11-14T22:13:20Z  7
  dpkg    caf�           long long long long long long long long long lo…                        

memory: denied, 0 items, 0 ms
  open DMI: permission denied
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCollectors: every section of the .proto has a collector, in the same order, and choose
// selects them by name.
func TestCollectors(t *testing.T) {
	t.Parallel()
	var got, want []string
	for _, c := range collectors() {
		got = append(got, c.Name)
	}
	for _, s := range wire.Sections() {
		want = append(want, s.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	chosen, err := choose(collectors(), []string{"memory", "system"})
	if err != nil || len(chosen) != 2 || chosen[0].Name != "system" {
		t.Errorf("chosen %v, %v", chosen, err)
	}
	if _, err := choose(collectors(), []string{"system", "scanner"}); err == nil || !strings.Contains(err.Error(), `"scanner"; the sections are system, `) {
		t.Errorf("error %v", err)
	}
}

// TestWithout: a section that is turned off is reported, and nothing of it is collected.
func TestWithout(t *testing.T) {
	t.Parallel()
	all, err := withoutFlag{Without: []string{"user"}}.collectors()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(len(collectors()), len(all)); diff != "" {
		t.Errorf("number of sections (-want +got):\n%s", diff)
	}
	chosen, err := choose(all, []string{"user"})
	if err != nil {
		t.Fatal(err)
	}
	got := section.Run(t.Context(), nil, chosen) // a collector that uses the machine panics
	got[0].Duration = 0
	want := []section.Report{{Section: "user", Status: inventory.StatusUnsupported, Message: "turned off by --without or MUSTER_WITHOUT"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := (withoutFlag{Without: []string{"people"}}).collectors(); err == nil || !strings.Contains(err.Error(), `unknown section "people"`) {
		t.Errorf("error %v", err)
	}
}

func TestInventoryOfATree(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "sys", "class", "dmi", "id")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "product_name"), []byte("Latitude\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	command := inventoryCommand{Root: root, Section: []string{"system", "memory"}, Output: "json"}
	if err := command.Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	doc := parse(t, out.Bytes())
	if diff := cmp.Diff([]map[string]any{{"product_name": "Latitude"}}, doc.items("system")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := doc.Sections["memory"]; s.Status != "unsupported" || s.Items == nil {
		t.Errorf("memory is %+v, want it unsupported with an empty list", s)
	}
	command.Root = filepath.Join(root, "absent")
	if err := command.Run(t.Context(), &out); err == nil {
		t.Error("an absent root directory is no error")
	}
}

// TestDecodeDamage: an invalid file returns an error, a truncated one a partial result.
func TestDecodeDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save := func(name string, data []byte) capture {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return capture{File: file, Output: "json"}
	}
	system := "\x01\x19\x01\x00\x01\x00\x00\x00" + strings.Repeat("\x00", 17) + "Maker\x00\x00"
	edid := "\x00\xFF\xFF\xFF\xFF\xFF\xFF\x00\x10\xAC\x01\x00\x00\x00\x00\x00\x05\x1E"
	var out bytes.Buffer
	if err := (decodeSMBIOS{save("table", []byte(system))}).Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if s := parse(t, out.Bytes()).Sections["system"]; s.Status != "partial" || s.Message == "" || s.Items[0]["manufacturer"] != "Maker" {
		t.Errorf("cut table: %+v", s)
	}
	out.Reset()
	if err := (decodeEDID{save("edid", []byte(edid))}).Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if s := parse(t, out.Bytes()).Sections["display"]; s.Status != "partial" || s.Items[0]["manufacturer_pnp"] != "DEL" {
		t.Errorf("cut EDID: %+v", s)
	}
	text := save("text", []byte("no table"))
	for name, run := range map[string]error{
		"text as a table":     decodeSMBIOS{text}.Run(t.Context(), &out),
		"text as an EDID":     decodeEDID{text}.Run(t.Context(), &out),
		"cut before the year": decodeEDID{save("short", []byte(edid[:12]))}.Run(t.Context(), &out),
		"no file":             decodeSMBIOS{capture{File: filepath.Join(dir, "absent")}}.Run(t.Context(), &out),
	} {
		if run == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
