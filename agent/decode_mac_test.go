package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func decodeProfile(t testing.TB, file string) jsonDocument {
	t.Helper()
	var out bytes.Buffer
	if err := (decodeSystemProfiler{capture{File: file, Output: "json"}}).Run(t.Context(), &out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return parse(t, out.Bytes())
}

func decodeExport(t testing.TB, file string) jsonDocument {
	t.Helper()
	var out bytes.Buffer
	if err := (decodeUninstall{capture{File: file, Output: "json"}}).Run(t.Context(), &out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return parse(t, out.Bytes())
}

// tally counts how many expected rows the documents have.
type tally struct {
	cases, equal int
	differing    []string
}

// compare takes each expected row from the found ones.
func (c *tally) compare(where string, want, got []string) {
	left := slices.Clone(got)
	for _, row := range want {
		c.cases++
		if i := slices.Index(left, row); i >= 0 {
			c.equal++
			left = slices.Delete(left, i, i+1)
			continue
		}
		c.differing = append(c.differing, where+": missing "+row)
	}
	for _, row := range left {
		c.differing = append(c.differing, where+": additional "+row)
	}
}

// check prints the tally and requires a share of equal rows.
func (c *tally) check(t *testing.T, what string, share float64) {
	t.Helper()
	t.Logf("%s: %d cases, %d equal (%.2f %%), %d differences", what, c.cases, c.equal,
		100*float64(c.equal)/float64(max(c.cases, 1)), len(c.differing))
	for _, line := range c.differing {
		t.Log(line)
	}
	if c.cases == 0 || float64(c.equal) < share*float64(c.cases) {
		t.Errorf("%s: %d of %d cases are equal, want %.0f %%", what, c.equal, c.cases, 100*share)
	}
}

// rows returns the named fields of each item, without duplicates.
func rows(items []map[string]any, names ...string) []string {
	var list []string
	for _, item := range items {
		values := make([]string, len(names))
		for i, name := range names {
			values[i] = field(item, name)
		}
		list = append(list, strings.Join(values, " | "))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestDecodeApplications compares name and version of the applications of real Macs with those that
// another agent finds in the same reports.
func TestDecodeApplications(t *testing.T) {
	t.Parallel()
	lists, err := filepath.Glob(filepath.Join(corpus(t, "macos-apps"), "*.expected.json"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no reports: %v", err)
	}
	var total tally
	for _, list := range lists {
		sample := strings.TrimSuffix(list, ".expected.json")
		files, err := filepath.Glob(sample + ".SP*")
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %v, %v", sample, files, err)
		}
		var want []map[string]any
		readExpected(t, list, &want)
		got := decodeProfile(t, files[0]).items("software")
		for _, app := range want { // the other agent numbers applications with the same name
			if name := field(app, "NAME"); numbered.MatchString(name) {
				app["NAME"] = numbered.ReplaceAllString(name, "")
			}
		}
		total.compare(filepath.Base(sample), rows(want, "NAME", "VERSION"), rows(got, "name", "version"))
	}
	total.check(t, "applications (name, version)", 0.98)
}

var numbered = regexp.MustCompile(`_\d+$`)

// TestDecodeEqualApplications compares a report in both of its formats.
func TestDecodeEqualApplications(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t, "glpi-agent"), "resources", "macos", "system_profiler")
	text := decodeProfile(t, filepath.Join(dir, "10.8-system_profiler_SPApplicationsDataType.example.txt"))
	xml := decodeProfile(t, filepath.Join(dir, "10.8-system_profiler_SPApplicationsDataType_-xml.example.xml"))
	var total tally
	total.compare("10.8", rows(xml.items("software"), "name", "version"), rows(text.items("software"), "name", "version"))
	total.check(t, "text and XML of one Mac (name, version)", 0.98)
}

// glpiCases reads the cases of one of the other agent's tests.
func glpiCases(t *testing.T, file, variable string) map[string]glpiCase {
	t.Helper()
	var tests map[string]json.RawMessage
	readExpected(t, filepath.Join(corpus(t, "glpi-agent"), "expected", file), &tests)
	var cases map[string]glpiCase
	if err := json.Unmarshal(tests[variable], &cases); err != nil {
		t.Fatalf("cases of %s in %s: %v", variable, file, err)
	}
	return cases
}

type glpiCase struct {
	Files    []string
	Expected []map[string]any
}

func (c glpiCase) path(t *testing.T, i int) string {
	t.Helper()
	return filepath.Join(corpus(t, "glpi-agent"), filepath.FromSlash(c.Files[i]))
}

// TestDecodeMemoryOfMacs compares size, type, speed, serial number and part number of each slot.
func TestDecodeMemoryOfMacs(t *testing.T) {
	t.Parallel()
	var total tally
	for name, c := range glpiCases(t, "macos-memory.json", "memories_tests") {
		for _, slot := range c.Expected {
			if slot["TYPE"] == "Empty" { // the other agent's word for no type
				slot["TYPE"], slot["CAPACITY"] = "", "0"
			}
		}
		got := decodeProfile(t, c.path(t, 0)).items("memory")
		for _, slot := range got {
			if size, known := slot["size_bytes"].(float64); known {
				slot["size_bytes"] = strconv.Itoa(int(size) >> 20)
			}
			if slot["serial_number"] == nil {
				slot["serial_number"] = ""
			}
		}
		columns := []string{"CAPACITY", "TYPE", "SPEED", "DESCRIPTION", "SERIALNUMBER"}
		total.compare(name, bag(c.Expected, columns...), bag(got, "size_bytes", "memory_type", "speed", "part_number", "serial_number"))
	}
	total.check(t, "memory slots", 0.98)
}

// bag is rows with duplicates: slots can be equal.
func bag(items []map[string]any, names ...string) []string {
	var list []string
	for _, item := range items {
		list = append(list, rows([]map[string]any{item}, names...)...)
	}
	return list
}

// TestDecodeDisksOfMacs compares the disks on Serial ATA.
func TestDecodeDisksOfMacs(t *testing.T) {
	t.Parallel()
	var total tally
	for name, c := range glpiCases(t, "macos-storages.json", "testsSerialATA") {
		var want []map[string]any
		for _, disk := range c.Expected {
			if disk["TYPE"] == "Disk drive" {
				want = append(want, disk)
			}
		}
		got := decodeProfile(t, c.path(t, 0)).items("storage")
		total.compare(name, rows(want, "DESCRIPTION", "SERIAL", "FIRMWARE"), rows(got, "model", "serial_number", "firmware_revision"))
	}
	total.check(t, "disks (model, serial number, firmware)", 1)
}

// TestDecodeUninstall compares name, version and publisher of the programs in registry exports. The
// other agent reads the edition of SQL Server from a further key and shows it in place of the name.
func TestDecodeUninstall(t *testing.T) {
	t.Parallel()
	var total tally
	for name, c := range glpiCases(t, "windows-softwares.json", "softwares_tests") {
		i := slices.IndexFunc(c.Files, func(file string) bool { return strings.HasSuffix(file, "-Uninstall.reg") })
		want := slices.DeleteFunc(c.Expected, func(program map[string]any) bool { return program["FROM"] != "registry" })
		for _, program := range want {
			if program["NAME"] == "Microsoft SQL Server 2005 Standard Edition" {
				program["NAME"] = "Microsoft SQL Server 2005"
			}
		}
		got := decodeExport(t, c.path(t, i)).items("software")
		total.compare(name, rows(want, "NAME", "VERSION", "PUBLISHER"), rows(got, "name", "version", "publisher"))
	}
	total.check(t, "programs (name, version, publisher)", 0.98)
}

func TestDecodeRejectsOtherFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"", "hello", "{}", "<?xml version='1.0'?><plist><array/></plist>", "bplist00"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"system-profiler": (decodeSystemProfiler{capture{File: file}}).Run(t.Context(), &bytes.Buffer{}),
			"uninstall":       (decodeUninstall{capture{File: file}}).Run(t.Context(), &bytes.Buffer{}),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("decode %s: ", file)) {
				t.Errorf("%s of %q: error %v", name, text, err)
			}
		}
	}
}
