package main

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/section/cpu"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// The tests with a tally print how many values of a corpus are equal, and the others with -v.

// TestProcessorsOfLinux compares the sockets in /proc/cpuinfo of PCs: name, cores, threads. It
// leaves out files without the number of cores: there the agent takes it from sysfs, which the
// corpus does not have, and the other agent takes it for one.
func TestProcessorsOfLinux(t *testing.T) {
	t.Parallel()
	var total tally
	for name, c := range glpiCases(t, "linux-cpu.json", "i386") {
		text, err := os.ReadFile(c.path(t, 0))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "cpu cores") {
			t.Logf("%s: left out", name)
			continue
		}
		items, err := cpu.Collector().Collect(t.Context(), hosttest.Tree(t, map[string]string{"/proc/cpuinfo": string(text)}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got, want []string
		for _, item := range items {
			if socket, ok := item.(*inventoryv1.Cpu); ok {
				got = append(got, socketRow(socket.Model, socket.GetCores(), socket.GetThreads()))
			}
		}
		for _, socket := range c.Expected {
			cores, _ := strconv.ParseUint(field(socket, "CORE"), 10, 16)
			perCore, _ := strconv.ParseUint(field(socket, "THREAD"), 10, 16)
			want = append(want, socketRow(field(socket, "NAME"), uint32(cores), uint32(cores*perCore)))
		}
		total.compare(name, want, got)
	}
	total.check(t, "sockets of /proc/cpuinfo (name, cores, threads)", 1)
}

func socketRow(name string, cores, threads uint32) string {
	return strings.Join(strings.Fields(name), " ") + " | " + strconv.Itoa(int(cores)) + " | " + strconv.Itoa(int(threads))
}

// TestDecodeGraphicsOfMacs compares name and memory of graphics processors. The memory of one that
// is built in is that of the system, which the agent does not count as its own.
func TestDecodeGraphicsOfMacs(t *testing.T) {
	t.Parallel()
	var total tally
	for name, c := range glpiCases(t, "macos-videos.json", "tests") {
		for _, gpu := range c.Expected {
			if gpu["PCISLOT"] == "Built-In" {
				gpu["MEMORY"] = ""
			}
		}
		got := decodeProfile(t, c.path(t, 0)).items("gpu")
		for _, gpu := range got {
			gpu["memory"] = ""
			if size, known := gpu["vram_bytes"].(float64); known {
				gpu["memory"] = strconv.Itoa(int(size) >> 20)
			}
		}
		total.compare(name, rows(c.Expected, "CHIPSET", "MEMORY"), rows(got, "name", "memory"))
	}
	total.check(t, "graphics processors (name, memory)", 1)
}

// TestDecodeProcessorsOfMacs compares cores and clock rate. Reports have a shorter name than
// sysctl, which the other agent uses for it.
func TestDecodeProcessorsOfMacs(t *testing.T) {
	t.Parallel()
	var total tally
	for name, c := range glpiCases(t, "macos-cpu.json", "tests") {
		got := decodeProfile(t, c.path(t, 1)).items("cpu")
		total.compare(name, rows(c.Expected, "CORE", "SPEED"), rows(got, "cores", "max_mhz"))
	}
	total.check(t, "processors of Macs (cores, clock rate)", 1)
}
