package main

import (
	"bytes"
	"encoding/json"
	"math"
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
		{"zero", 0, new(0.0), "met"},
		{"more than zero", 0.1, new(0.0), "missed"},
		{"no target", 5, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := verdict(c.measured, c.target); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 0.0271: "0.0271", 0.000001: "0.00000", 2: "2.00", 13.52: "13.5", 268: "268",
		12345: "12345", -1.5: "-1.50",
	} {
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
	if got.all != 30 {
		t.Errorf("%v bytes, want 30", got.all)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"--fleet 0", "--concurrency 0", "--concurrency 32,", "--similarity total", "--connected -1", "--output yaml",
		"--cmdb 10", "--parts identity,what", "what",
	} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	o, err := parse([]string{"--fleet", "5", "--agent", "a"})
	if err != nil || o.machines != 5 || o.agentPath != "a" || o.connected != 10_000 ||
		!o.wants(partCollector) || !o.wants(partLists) || len(o.similarities) != 2 || len(o.concurrencies) != 2 {
		t.Errorf("got %+v, %v", o, err)
	}
	o, err = parse(strings.Fields("--parts graph,lists --similarity medium --concurrency 8,16,1"))
	if err != nil || o.wants(partCollector, partImport) || !o.wants(partImport, partGraph) ||
		o.similarities[0] != mediumSimilarity || len(o.concurrencies) != 3 {
		t.Errorf("got %+v, %v", o, err)
	}
}

// testRun returns the figures of a run whose handshakes took twice as long as on a calm machine.
func testRun(s similarity, concurrency int) *runResult {
	return &runResult{
		Similarity: s.name, Concurrency: concurrency, Sizes: map[string]float64{phaseFirst: 17_000},
		Phases: []phase{
			{ID: phaseHandshake, Name: "TLS handshake", expense: expense{Collector: 1 * calmHandshake}},
			{ID: phaseHandshake, Name: "TLS handshake", expense: expense{Collector: 3 * calmHandshake}},
			{ID: phaseFirst, Name: "first", expense: expense{
				Collector: 2*calmHandshake + 6, Sessions: 4, Maintenance: 2, Statements: 7, WALBytes: 30_000,
			}},
		},
		Tables: []storage{{"item", 900, 300}},
	}
}

func TestNorm(t *testing.T) {
	t.Parallel()
	run := testRun(highSimilarity, 32)
	for _, m := range []struct {
		measure
		want float64
	}{
		{measure{value: beside(phaseFirst, expense.cpu), isCPU: true}, 6},
		{measure{value: beside(phaseFirst, collectorCPU), isCPU: true}, 3},
		{measure{value: beside(phaseFirst, postgresqlCPU), isCPU: true}, 3},
		{measure{value: whole(phaseHandshake, expense.cpu), isCPU: true}, calmHandshake},
		{measure{value: beside(phaseFirst, statements)}, 7},
		{measure{value: stored(phaseFirst)}, 17},
	} {
		if got, ok := m.amount(run); !ok || math.Abs(got-m.want) > 1e-9 {
			t.Errorf("got %v, %v, want %v", got, ok, m.want)
		}
	}
	if _, ok := (measure{value: whole(phaseUpgrade, expense.cpu)}).amount(run); ok {
		t.Error("a phase that did not run has a value")
	}
}

func TestRunsAreColumns(t *testing.T) {
	t.Parallel()
	r := newReport(options{machines: 10})
	r.Runs = []*runResult{testRun(lowSimilarity, 128), testRun(highSimilarity, 32)}
	var table bytes.Buffer
	if err := r.print(&table, "table"); err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(table.String()) {
		fields := strings.Fields(line)
		if len(fields) > 1 {
			rows[fields[0]] = strings.Join(fields, " ")
		}
	}
	for name, want := range map[string]string{
		"Measure":    "Measure low × 128 norm high × 32 norm Target Verdict",
		"stored":     "stored – – –",
		"statements": "statements – – –",
		"item":       "item 900 300 900 300",
	} {
		if rows[name] != want {
			t.Errorf("got row %q, want %q", rows[name], want)
		}
	}
	if want := "CPU beside the handshake 12.0 6.00 12.0 6.00 ≤ 5.00 missed ×1.20"; !strings.Contains(
		strings.Join(strings.Fields(table.String()), " "), want) {
		t.Errorf("no %q in:\n%s", want, table.String())
	}
}

func TestResolversVerdict(t *testing.T) {
	t.Parallel()
	for want, speeds := range map[string][]float64{"met": {100, 120, 130, 150}, "missed": {100, 200, 200, 149}} {
		if got := (resolversResult{Machines: speeds}).verdict(); got != want {
			t.Errorf("%v machines per second: %s, want %s", speeds, got, want)
		}
	}
}
