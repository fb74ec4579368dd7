package profiler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/section/hosttest"
)

const (
	asText = "Hardware:\n\n    Hardware Overview:\n\n      Model Name: Mac mini\n      Processor Speed: 2,26 GHz\n\n" +
		"Memory:\n\n    Memory Slots:\n\n      ECC: Disabled\n\n        BANK 0/DIMM0:\n\n          Size: 2 GB\n          Type: DDR3\n\n" +
		"        BANK 1/DIMM0:\n\n          Size: Empty\n\nUnknown:\n\n    Thing:\n\n      Size: 1\n\n" +
		"Applications:\n\n    Wish:\n\n      Version: 8.5\n      Get Info String: Wish 8.5,\nCopyright: Apple\nand others:\n" +
		"      Location: /Wish.app\n\n    Name: with a colon:\n\n      Version: 1\n"
	asJSON = `{"SPHardwareDataType":[{"_name":"hardware_overview","machine_name":"Mac mini","nested":{"_name":"x"}}],
"SPMemoryDataType":[{"_name":"global_name","_items":[{"_name":"BANK 0/DIMM0","dimm_size":"2 GB"}]}]}`
)

// lines prints a report.
func lines(report Report, fields ...string) []string {
	var list []string
	for _, dataType := range []string{"SPHardwareDataType", "SPMemoryDataType", "SPApplicationsDataType"} {
		for n := range report.All(dataType) {
			line := n.Name
			for _, field := range fields {
				if text := n.Text(field); text != "" {
					line += " | " + text
				}
			}
			list = append(list, line)
		}
	}
	return list
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"text": {asText, []string{
			"Hardware Overview | Mac mini", "Memory Slots", "BANK 0/DIMM0 | 2 GB", "BANK 1/DIMM0 | Empty",
			"Wish | 8.5 | /Wish.app", "Name: with a colon | 1",
		}},
		"JSON": {asJSON, []string{"hardware_overview | Mac mini", "global_name", "BANK 0/DIMM0 | 2 GB"}},
	} {
		report, err := Parse([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := lines(report, "Model Name", "machine_name", "Size", "dimm_size", "Version", "Location")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	report, err := Parse([]byte(`{"T":[{"a":"2,26 GHz","b":"1867 MHz","c":"16 GB","d":"proc 10:8:2","e":"Empty","f":"2 parsecs"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	n := &report["T"][0]
	got := []uint64{
		uint64(n.MHz("a")), uint64(n.MHz("b")), n.MemoryBytes("c"), uint64(n.Count("d")), n.MemoryBytes("e"), n.MemoryBytes("f"),
		uint64(n.Count("none")),
	}
	if diff := cmp.Diff([]uint64{2260, 1867, 16 << 30, 10, 0, 0, 0}, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(asText))
	f.Add([]byte(asJSON))
	dir := hosttest.Corpus(f, "glpi-agent", "resources", "macos", "system_profiler")
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no reports: %v", err)
	}
	const maxSeed = 24 << 10
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil && len(data) <= maxSeed {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := Parse(data)
		if err != nil {
			return
		}
		for dataType := range report {
			for n := range report.All(dataType) {
				if strings.TrimSpace(n.Text("Size")) != n.Text("Size") {
					t.Errorf("%q is not trimmed", n.Text("Size"))
				}
				n.MHz("Speed")
				n.MemoryBytes("Size", "dimm_size")
				n.Count("number_processors")
			}
		}
	})
}
