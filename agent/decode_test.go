package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corpus returns the directory of captured machines, which is next to the checkout.
func corpus(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	dir = filepath.Join(dir, "..", "shared", "corpora", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the corpus %s is not here: it is looked for in ../shared/corpora", name)
	}
	return dir
}

// jsonDocument is the document as a script reads it.
type jsonDocument struct {
	Agent    map[string]string
	Sections map[string]struct {
		Status  string
		Message string
		Items   []map[string]any
	}
}

func (s jsonDocument) items(section string) []map[string]any { return s.Sections[section].Items }

// field returns a field as text, "" if it is absent.
func field(item map[string]any, name string) string {
	switch v := item[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

func decodeTable(t testing.TB, file string) jsonDocument {
	t.Helper()
	var out bytes.Buffer
	if err := (decodeSMBIOS{capture{File: file, Output: "json"}}).Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return parse(t, out.Bytes())
}

func parse(t testing.TB, text []byte) jsonDocument {
	t.Helper()
	var doc jsonDocument
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatalf("the document is no JSON: %v\n%s", err, text)
	}
	return doc
}

func readExpected(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// machine is the reference: the output of dmidecode 3.4 for a table.
type machine struct {
	Bios       map[string]string
	System     map[string]string
	Baseboards []map[string]string
	Chassis    []map[string]string
	Processors []map[string]string
	Arrays     []map[string]string `json:"memory_arrays"`
	Memory     []map[string]string `json:"memory_devices"`
}

// TestDecodeSMBIOS compares every field of every captured table with the reference. The differences
// and their reasons:
//   - "Not Specified", "Not Settable", "Unknown" for numbers: the reference's terms for absent.
//   - "<BAD INDEX>" (asset tag of the chassis, jrg-jeffgerlap): the table refers to a string that
//     it does not contain, so the asset tag is unknown.
//   - A machine has one chassis and one main board here. If a table has several (a dock, a riser),
//     the first counts, as in /sys/class/dmi/id.
func TestDecodeSMBIOS(t *testing.T) {
	t.Parallel()
	tables, err := filepath.Glob(filepath.Join(corpus(t, "smbios"), "*", "expected.json"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	t.Logf("%d tables, each in three formats", len(tables))
	for _, expected := range tables {
		dir := filepath.Dir(expected)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			var want machine
			readExpected(t, expected, &want)
			linux := decodeTable(t, filepath.Join(dir, "sys", "firmware", "dmi", "tables", "DMI"))
			compareMachine(t, want, linux)
			for _, file := range []string{"windows-rsmb.bin", "dump.bin"} {
				if diff := cmp.Diff(linux, decodeTable(t, filepath.Join(dir, file))); diff != "" {
					t.Errorf("%s differs from DMI (-DMI +%s):\n%s", file, file, diff)
				}
			}
		})
	}
}

func compareMachine(t *testing.T, want machine, got jsonDocument) {
	t.Helper()
	for name, s := range got.Sections {
		if s.Status != "ok" || s.Message != "" {
			t.Errorf("%s is %s: %s", name, s.Status, s.Message)
		}
	}
	firmware, system := got.items("firmware")[0], got.items("system")[0]
	compareFields(t, "bios", want.Bios, firmware, map[string]string{
		"vendor": "vendor", "version": "version", "release_date": "release_date",
	})
	compareFields(t, "system", want.System, system, map[string]string{
		"manufacturer": "manufacturer", "product": "product_name", "version": "version", "serial": "serial_number",
		"uuid": "uuid", "sku": "sku_number", "family": "family",
	})
	compareFields(t, "chassis", firstOf(want.Chassis), system, map[string]string{
		"manufacturer": "chassis_manufacturer", "type": "chassis_type", "version": "chassis_version",
		"serial": "chassis_serial", "asset_tag": "asset_tag",
	})
	compareFields(t, "board", firstOf(want.Baseboards), system, map[string]string{
		"manufacturer": "board_manufacturer", "product": "board_product", "version": "board_version",
		"serial": "board_serial", "asset_tag": "board_asset_tag",
	})
	compareList(t, "processor", want.Processors, got.items("cpu"), map[string]string{
		"socket": "designation", "family": "family", "manufacturer": "manufacturer", "version": "model",
		"id": "processor_id", "status": "status", "max_speed": "max_mhz", "current_speed": "current_mhz",
		"core_count": "cores", "thread_count": "threads", "serial": "serial_number", "part": "part_number",
	})
	for _, slot := range want.Memory { // the tables have one array, or equal arrays
		slot["ecc"] = want.Arrays[0]["ecc"]
	}
	compareList(t, "memory", want.Memory, got.items("memory"), map[string]string{
		"locator": "locator", "bank": "bank", "size": "size_bytes", "form_factor": "form_factor", "type": "memory_type",
		"speed": "speed", "manufacturer": "manufacturer", "serial": "serial_number", "part": "part_number",
		"asset_tag": "asset_tag", "ecc": "error_correction",
	})
}

func firstOf(list []map[string]string) map[string]string {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func compareList(t *testing.T, what string, want []map[string]string, got []map[string]any, names map[string]string) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: %d items, want %d", what, len(got), len(want))
	}
	for i := range want {
		compareFields(t, what+" "+strconv.Itoa(i), want[i], got[i], names)
	}
}

func compareFields(t *testing.T, what string, want map[string]string, got map[string]any, names map[string]string) {
	t.Helper()
	for reference, name := range names {
		if w, g := normalize(reference, want[reference]), field(got, name); w != g {
			t.Errorf("%s: %s = %q, want %q", what, name, g, w)
		}
	}
}

// normalize converts a value of the reference to the form of the agent.
func normalize(name, value string) string {
	switch {
	case value == "Not Specified", value == "Not Settable", value == "<BAD INDEX>":
		return ""
	case name == "size":
		return sizeInBytes(value)
	case strings.HasSuffix(name, "speed"):
		return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(value, " MT/s"), " MHz"), "Unknown")
	}
	return value
}

func sizeInBytes(text string) string {
	if text == "No Module Installed" {
		return "0"
	}
	number, unit, _ := strings.Cut(text, " ")
	shift, ok := map[string]int{"kB": 10, "MB": 20, "GB": 30, "TB": 40}[unit]
	n, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return "?" + text
	}
	return strconv.FormatUint(n<<shift, 10)
}
