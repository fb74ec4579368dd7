package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		measured float64
		target   *float64
		want     string
	}{
		{"below", 1.9, new(2.0), "met"},
		{"at the target", 2, new(2.0), "met"},
		{"above", 5, new(2.0), "missed ×2.50"},
		{"nothing, as it should be", 0, new(0.0), "met"},
		{"something where nothing should be", 0.1, new(0.0), "missed"},
		{"no target", 5, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := (figure{Measured: c.measured, Target: c.target}).verdict(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 0.0271: "0.0271", 0.000001: "0.00000", 2: "2.00", 13.52: "13.5", 268: "268", 12345: "12345", -1.5: "-1.50"} {
		if got := number(v); got != want {
			t.Errorf("%v is shown as %q, want %q", v, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := newReport(options{machines: 10, seed: 1})
	r.add("memory", 700, "10000 agents")
	r.add("agent_cpu", 0.02, "")
	var table, document bytes.Buffer
	if err := r.print(&table, "table"); err != nil {
		t.Fatal(err)
	}
	text := table.String()
	if cpu, memory := strings.Index(text, "0.0200 s"), strings.Index(text, "missed ×1.17"); cpu < 0 || memory < cpu {
		t.Errorf("not in the order of the targets:\n%s", text)
	}
	if err := r.print(&document, "json"); err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(document.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Figures, got.Figures); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestTargetsAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, target := range targets {
		if seen[target.id] {
			t.Errorf("two targets are called %s", target.id)
		}
		seen[target.id] = true
	}
}

func TestExpense(t *testing.T) {
	t.Parallel()
	spent := expense{Collector: 10, Sessions: 4, Maintenance: 1, WALBytes: 100}
	noise := expense{Collector: 1, Maintenance: 0.5, WALBytes: 10}
	want := expense{Collector: 4, Sessions: 2, WALBytes: 40}
	if diff := cmp.Diff(want, spent.less(noise.times(2)).times(0.5)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := want.cpu(); got != 6 {
		t.Errorf("%v ms of CPU, want 6", got)
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	before := extent{100, []storage{{"item", 50, 20}}}
	after := extent{300, []storage{{"item", 150, 40}, {"late", 40, 0}}}
	enrolled := growth{10, map[string]storage{"agent": {"agent", 8, 3}, "late": {"late", 1, 1}}}
	got := after.since(before, 10).plus(enrolled)
	want := []storage{{"item", 10, 2}, {"agent", 8, 3}, {"late", 5, 1}}
	if diff := cmp.Diff(want, got.list()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.kB() != 0.03 {
		t.Errorf("%v kB, want 0.03", got.kB())
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--fleet 0", "--concurrency 0", "--connected -1", "--output yaml", "--estate 10", "--parts identity,what", "what"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%q was understood", args)
		}
	}
	o, err := parse([]string{"--fleet", "5", "--agent", "a"})
	if err != nil || o.machines != 5 || o.agentPath != "a" || o.connected != 10_000 || !o.wants(partCollector) || !o.wants(partLists) {
		t.Errorf("got %+v, %v", o, err)
	}
	if o, err = parse([]string{"--parts", "graph,lists"}); err != nil || o.wants(partCollector, partImport) || !o.wants(partImport, partGraph) {
		t.Errorf("got %+v, %v", o, err)
	}
}
