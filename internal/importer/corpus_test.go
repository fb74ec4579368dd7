package importer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
)

// corpus returns recorded files, which lie beside the checkout.
func corpus(t testing.TB, pattern ...string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		shared := filepath.Join(dir, "..", "shared", "corpora")
		if _, err := os.Stat(shared); err == nil {
			files, err := filepath.Glob(filepath.Join(append([]string{shared}, pattern...)...))
			if err != nil || len(files) == 0 {
				t.Skipf("no recorded files %s in ../shared/corpora", filepath.Join(pattern...))
			}
			return files
		}
		if dir == filepath.Dir(dir) {
			t.Skip("the corpora are not beside the checkout: they are looked for in ../shared/corpora")
		}
		dir = filepath.Dir(dir)
	}
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read reads a file that must be readable.
func read(t testing.TB, format string, data []byte, o importer.Options) []importer.Document {
	t.Helper()
	docs, err := importer.Read(format, bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func one(t testing.TB, format string, data []byte) importer.Document {
	t.Helper()
	docs := read(t, format, data, importer.Options{})
	if len(docs) != 1 {
		t.Fatalf("%d documents, want 1", len(docs))
	}
	return docs[0]
}

func section(d importer.Document, name string) *importer.Section {
	for i := range d.Sections {
		if d.Sections[i].Name == name {
			return &d.Sections[i]
		}
	}
	return nil
}

// item returns the first item of a section that matches.
func item[M proto.Message](t testing.TB, d importer.Document, name string, is func(M) bool) M {
	t.Helper()
	if s := section(d, name); s != nil {
		for _, m := range s.Items {
			if m, ok := m.(M); ok && is(m) {
				return m
			}
		}
	}
	t.Fatalf("no such item of %s", name)
	panic("not reached")
}

func any1[M proto.Message](M) bool { return true }

// TestEveryRecordedFileIsRead also checks the invariants of every document.
func TestEveryRecordedFileIsRead(t *testing.T) {
	t.Parallel()
	for format, pattern := range map[string][]string{
		"glpi-json":           {"inventories", "glpi-json", "*_*.json"},
		"fusioninventory-xml": {"inventories", "fusioninventory-xml", "*.xml"},
		"ocs-xml":             {"inventories", "fusioninventory-xml", "*.xml"},
	} {
		for _, file := range corpus(t, pattern...) {
			t.Run(format+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				for _, d := range read(t, format, load(t, file), importer.Options{Name: "test"}) {
					checkDocument(t, d)
				}
			})
		}
	}
}

func checkDocument(t *testing.T, d importer.Document) {
	t.Helper()
	for _, w := range append([]string{d.Problem}, d.Warnings...) {
		t.Log(d.NativeKey, w)
	}
	if !strings.HasSuffix(d.Source, ":test") || d.Position == "" {
		t.Errorf("source %q, position %q", d.Source, d.Position)
	}
	if (d.Problem == "") != (d.NativeKey != "") {
		t.Errorf("key %q, problem %q: want one of them", d.NativeKey, d.Problem)
	}
	for _, s := range d.Sections {
		checkSection(t, s)
	}
	keys := map[string]bool{}
	for _, p := range d.Observed.Components {
		if p.Class == "" || p.Key == "" || p.Relationship == "" || keys[p.Class+" "+p.Key] {
			t.Errorf("part %+v", p)
		}
		keys[p.Class+" "+p.Key] = true
		checkAttributes(t, p.Attributes)
	}
	checkAttributes(t, d.Observed.Attributes)
}

func checkAttributes(t *testing.T, attributes inventory.Attributes) {
	t.Helper()
	for name, value := range attributes {
		switch value := value.(type) {
		case string:
			if value == "" {
				t.Errorf("attribute %s is empty", name)
			}
		case bool, json.Number:
		default:
			t.Errorf("attribute %s is a %T", name, value)
		}
	}
}

func checkSection(t *testing.T, s importer.Section) {
	t.Helper()
	described, known := wire.Lookup(s.Name)
	if !known || !s.Status.Collected() {
		t.Fatalf("section %s, status %s", s.Name, s.Status)
	}
	versions := map[string]bool{}
	for _, m := range s.Items {
		if got := m.ProtoReflect().Descriptor(); got != described.New().Descriptor() {
			t.Errorf("a %s in the section %s", got.Name(), s.Name)
		}
		key := described.Key(m.ProtoReflect())
		if versioned, is := m.(interface{ GetVersion() string }); is && s.Name == "software" {
			key += " " + versioned.GetVersion()
		}
		if !described.HasKey(m.ProtoReflect()) || versions[key] {
			t.Errorf("%s: %q is empty or a duplicate", s.Name, key)
		}
		versions[key] = true
		if _, err := described.Encode(m); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// counted maps sections with one item per entry of the file to the entries' name in the file.
var counted = map[string]string{
	"cpu": "cpus", "memory": "memories", "storage": "storages", "display": "monitors", "software": "softwares",
	"volume": "drives",
}

// TestCountsJSON compares the numbers of items with the lengths of the lists in the file.
func TestCountsJSON(t *testing.T) {
	t.Parallel()
	for _, file := range corpus(t, "inventories", "glpi-json", "computer_*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data := load(t, file)
			var raw struct {
				DeviceID string `json:"deviceid"`
				Content  map[string]json.RawMessage
			}
			if err := json.Unmarshal(data, &raw); err != nil {
				t.Fatal(err)
			}
			d := one(t, "glpi-json", data)
			if d.NativeKey != raw.DeviceID {
				t.Errorf("key %q, want %q", d.NativeKey, raw.DeviceID)
			}
			for name, from := range counted {
				var entries []map[string]any
				if list, there := raw.Content[from]; there {
					if err := json.Unmarshal(list, &entries); err != nil {
						t.Fatal(err)
					}
				}
				checkCount(t, d, name, len(entries))
			}
			var machines []struct{ Name string }
			if list, there := raw.Content["virtualmachines"]; there {
				if err := json.Unmarshal(list, &machines); err != nil {
					t.Fatal(err)
				}
			}
			if got := countComponents(d, "virtual_machine") + countComponents(d, "container"); got != len(machines) {
				t.Errorf("%d virtual machines, want %d", got, len(machines))
			}
		})
	}
}

func countComponents(d importer.Document, class string) int {
	count := 0
	for _, p := range d.Observed.Components {
		if p.Class == class {
			count++
		}
	}
	return count
}

func checkCount(t *testing.T, d importer.Document, name string, want int) {
	t.Helper()
	got := 0
	if s := section(d, name); s != nil {
		got = len(s.Items)
	}
	if name == "display" {
		got += countComponents(d, "monitor")
	}
	if got != want {
		t.Errorf("%s: %d items, want %d", name, got, want)
	}
}

// TestCountsXML counts the elements by their opening tags.
func TestCountsXML(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"1.xml", "3.xml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			data := load(t, corpus(t, "inventories", "fusioninventory-xml", file)[0])
			d := one(t, "fusioninventory-xml", data)
			for name, from := range counted {
				tag := regexp.MustCompile(fmt.Sprintf(`<%s>`, strings.ToUpper(from)))
				checkCount(t, d, name, len(tag.FindAll(data, -1)))
			}
			vms := len(regexp.MustCompile(`<VIRTUALMACHINES>`).FindAll(data, -1))
			if got := countComponents(d, "virtual_machine"); got != vms {
				t.Errorf("%d virtual machines, want %d", got, vms)
			}
		})
	}
}

// TestPartialInventories: a partial inventory has only the sections of the file, with the same
// items as the full one, except for the entries that were changed in the test files.
func TestPartialInventories(t *testing.T) {
	t.Parallel()
	whole := one(t, "glpi-json", load(t, corpus(t, "inventories", "glpi-json", "computer_1.json")[0]))
	for name, want := range map[string][]string{
		"computer_1_partial_batteries.json": {"system", "firmware"},
		"computer_1_partial_cpu.json":       {"system", "firmware", "cpu"},
		"computer_1_partial_memory.json":    {"system", "firmware", "memory"},
		"computer_1_partial_volumes.json":   {"system", "firmware", "volume"},
		"computer_1_partial_softs.json":     {"system", "firmware", "os", "software"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part := one(t, "glpi-json", load(t, corpus(t, "inventories", "glpi-json", name)[0]))
			if part.NativeKey != whole.NativeKey {
				t.Errorf("key %q, want that of the whole inventory, %q", part.NativeKey, whole.NativeKey)
			}
			var got []string
			for _, s := range part.Sections {
				got = append(got, s.Name)
				if s.Name != "software" && s.Name != "volume" {
					compareItems(t, section(whole, s.Name).Items, s.Items)
				}
				compareKeys(t, s.Name, section(whole, s.Name).Items, s.Items)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sections (-want +got):\n%s", diff)
			}
		})
	}
}

func compareItems(t *testing.T, want, got []proto.Message) {
	t.Helper()
	if diff := cmp.Diff(asJSON(want), asJSON(got)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func compareKeys(t *testing.T, name string, want, got []proto.Message) {
	t.Helper()
	described, _ := wire.Lookup(name)
	keys := func(items []proto.Message) (list []string) {
		for _, m := range items {
			list = append(list, described.Key(m.ProtoReflect()))
		}
		return list
	}
	if diff := cmp.Diff(keys(want), keys(got)); diff != "" {
		t.Errorf("keys of %s (-want +got):\n%s", name, diff)
	}
}

// asJSON returns items as JSON.
func asJSON(items []proto.Message) (list []string) {
	for _, m := range items {
		list = append(list, string(wire.AppendJSON(nil, m.ProtoReflect())))
	}
	return list
}
