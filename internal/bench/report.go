package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"
)

// report holds all figures, in the order of the targets.
type report struct {
	Fleet      int               `json:"fleet"`
	CMDB       int               `json:"cmdb"`
	Seed       uint64            `json:"seed"`
	PostgreSQL string            `json:"postgresql,omitempty"`
	Figures    []figure          `json:"figures"`
	Runs       []*runResult      `json:"runs,omitempty"`
	Idle       *expense          `json:"idle_per_second,omitempty"`
	Phases     []phase           `json:"cmdb_phases,omitempty"`
	Resolvers  []resolversResult `json:"resolvers,omitempty"`
}

// figure is one measured value.
type figure struct {
	ID       string   `json:"id"`
	What     string   `json:"what"`
	Measured float64  `json:"measured"`
	Unit     string   `json:"unit,omitempty"`
	Target   *float64 `json:"target,omitempty"`
	Note     string   `json:"note,omitempty"`
}

func newReport(o options) *report {
	return &report{Fleet: o.machines, CMDB: o.cmdbMachines, Seed: o.seed, Figures: []figure{}}
}

// add appends a figure. The note is for the reader of the table.
func (r *report) add(id string, measured float64, note string) {
	t := targetOf(id)
	f := figure{ID: id, What: t.what, Measured: measured, Unit: t.unit, Note: note}
	if !t.free {
		f.Target = &t.most
	}
	r.Figures = append(r.Figures, f)
}

// verdict compares a value with its target.
func verdict(measured float64, target *float64) string {
	switch {
	case target == nil:
		return ""
	case measured <= *target:
		return "met"
	case *target == 0:
		return "missed"
	default:
		return fmt.Sprintf("missed ×%.2f", measured / *target)
	}
}

// goal shows a target.
func goal(target *float64) string {
	if target == nil {
		return "–"
	}
	return "≤ " + number(*target)
}

func (r *report) print(out io.Writer, form string) error {
	order := func(id string) int { return slices.IndexFunc(targets, func(t target) bool { return t.id == id }) }
	slices.SortStableFunc(r.Figures, func(a, b figure) int { return order(a.ID) - order(b.ID) })
	if form == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	r.printFigures(t)
	r.printRuns(t)
	r.printRunTables(t)
	r.printRunPhases(t)
	r.printResolvers(t)
	r.printPhases(t)
	return t.Flush()
}

func (r *report) printFigures(t io.Writer) {
	if len(r.Figures) == 0 {
		return
	}
	fmt.Fprintf(t, "\nFigures; CMDB of %d machines, seed %d\n\t\n", r.CMDB, r.Seed)
	fmt.Fprintf(t, "What\tMeasured\tTarget\tVerdict\tNote\n")
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t%s %s\t%s\t%s\t%s\n",
			f.What, number(f.Measured), f.Unit, goal(f.Target), verdict(f.Measured, f.Target), f.Note)
	}
}

// printRuns prints a row per measure and two columns per run.
func (r *report) printRuns(t io.Writer) {
	if len(r.Runs) == 0 {
		return
	}
	fmt.Fprintf(t, "\nServer cost per machine, by similarity × concurrency; fleet of %d, seed %d\n"+
		"CPU in ms, idle noise subtracted; WAL and stored in kB\n"+
		"norm = raw × %.2f / the TLS handshake of the same run\n"+
		"Targets and verdicts: norm, at %s × 32\n"+
		"¹ the second half of the fleet; while the first half reports, the catalogs fill\n\t\n",
		r.Fleet, r.Seed, calmHandshake, highSimilarity.name)
	fmt.Fprint(t, "Measure")
	for _, run := range r.Runs {
		fmt.Fprintf(t, "\t%s\tnorm", run.name())
	}
	fmt.Fprint(t, "\tTarget\tVerdict\n")
	for _, m := range measures {
		r.printMeasure(t, m)
	}
}

func (r *report) printMeasure(t io.Writer, m measure) {
	fmt.Fprint(t, m.name)
	verdictText := ""
	for _, run := range r.Runs {
		raw, ok := m.value(run)
		if !ok {
			fmt.Fprint(t, "\t–\t")
			continue
		}
		norm := ""
		if m.isCPU {
			norm = number(raw * run.norm())
		}
		fmt.Fprintf(t, "\t%s\t%s", number(raw), norm)
		if amount, ok := m.amount(run); ok && run.targetRun() {
			verdictText = verdict(amount, m.target)
		}
	}
	fmt.Fprintf(t, "\t%s\t%s\n", goal(m.target), verdictText)
}

// printRunTables prints the bytes per table and machine, a column per run.
func (r *report) printRunTables(t io.Writer) {
	var names []string
	for _, run := range r.Runs {
		for _, s := range run.Tables {
			if !slices.Contains(names, s.Table) {
				names = append(names, s.Table)
			}
		}
	}
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(t, "\nStored bytes per machine of the second half, by table: all, and indexes alone\n\t\nTable")
	for _, run := range r.Runs {
		fmt.Fprintf(t, "\t%s\tindexes", run.name())
	}
	fmt.Fprintln(t)
	for _, name := range names {
		fmt.Fprint(t, name)
		for _, run := range r.Runs {
			i := slices.IndexFunc(run.Tables, func(s storage) bool { return s.Table == name })
			if i < 0 {
				fmt.Fprint(t, "\t–\t")
				continue
			}
			fmt.Fprintf(t, "\t%.0f\t%.0f", run.Tables[i].All, run.Tables[i].Indexes)
		}
		fmt.Fprintln(t)
	}
}

// printRunPhases prints every phase of every run, the handshakes included.
func (r *report) printRunPhases(t io.Writer) {
	if len(r.Runs) == 0 {
		return
	}
	fmt.Fprint(t, "\nPhases per machine, handshakes included; CPU in ms;"+
		" maintenance: checkpointer, WAL writer, autovacuum\n\t\n")
	fmt.Fprintf(t, "Run\tPhase\tCPU\tnorm\t%s\n", expenseColumns)
	for _, run := range r.Runs {
		for _, p := range run.Phases {
			fmt.Fprintf(t, "%s\t%s\t%.3f\t%.3f\t%s\n", run.name(), p.Name, p.cpu(), p.cpu()*run.norm(), p.columns())
		}
	}
	if r.Idle != nil {
		fmt.Fprintf(t, "\tidle, per second\t%.3f\t\t%s\n", r.Idle.cpu(), r.Idle.columns())
	}
}

const expenseColumns = "Collector\tPostgreSQL\tof it maintenance\t" +
	"Statements\tWAL bytes\tof it full pages\tWAL records"

// columns shows an expense.
func (e expense) columns() string {
	return fmt.Sprintf("%.3f\t%.3f\t%.3f\t%.3f\t%.0f\t%.0f\t%.2f", e.Collector, e.Sessions+e.Maintenance, e.Maintenance,
		e.Statements, e.WALBytes, e.WALFullPages, e.WALRecords)
}

// printPhases prints the phases of the CMDB, in which the collector is this program.
func (r *report) printPhases(t io.Writer) {
	if len(r.Phases) == 0 {
		return
	}
	fmt.Fprintf(t, "\nPhases of the CMDB per machine; CPU in ms; the collector is this program\n\t\n")
	fmt.Fprintf(t, "Phase\t%s\n", expenseColumns)
	for _, p := range r.Phases {
		fmt.Fprintf(t, "%s\t%s\n", p.Name, p.columns())
	}
}

// number shows three significant digits.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	places := max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0)
	return strconv.FormatFloat(v, 'f', min(places, 5), 64)
}
