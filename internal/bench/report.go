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

// report is what was measured, in the order of the targets.
type report struct {
	Fleet       int       `json:"fleet"`
	Concurrency int       `json:"concurrency"`
	Estate      int       `json:"estate"`
	Seed        uint64    `json:"seed"`
	PostgreSQL  string    `json:"postgresql,omitempty"`
	Figures     []figure  `json:"figures"`
	Phases      []phase   `json:"phases,omitempty"`
	Idle        *expense  `json:"idle_per_second,omitempty"`
	Tables      []storage `json:"tables,omitempty"`
}

// figure is one thing measured.
type figure struct {
	ID       string   `json:"id"`
	What     string   `json:"what"`
	Measured float64  `json:"measured"`
	Unit     string   `json:"unit,omitempty"`
	Target   *float64 `json:"target,omitempty"`
	Note     string   `json:"note,omitempty"`
}

func newReport(o options) *report {
	return &report{Fleet: o.machines, Concurrency: o.concurrency, Estate: o.estateMachines, Seed: o.seed, Figures: []figure{}}
}

// add notes a figure. The note is for what the reader has to know about it.
func (r *report) add(id string, measured float64, note string) {
	t := targetOf(id)
	f := figure{ID: id, What: t.what, Measured: measured, Unit: t.unit, Note: note}
	if !t.free {
		f.Target = &t.most
	}
	r.Figures = append(r.Figures, f)
}

// verdict says whether the target is met, and by which factor it is missed.
func (f figure) verdict() string {
	switch {
	case f.Target == nil:
		return ""
	case f.Measured <= *f.Target:
		return "met"
	case *f.Target == 0:
		return "missed"
	default:
		return fmt.Sprintf("missed ×%.2f", f.Measured / *f.Target)
	}
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
	r.printPhases(t)
	r.printTables(t)
	return t.Flush()
}

func (r *report) printFigures(t io.Writer) {
	fmt.Fprintf(t, "\nPer machine; fleet of %d, %d at a time, estate of %d, seed %d\n\t\n", r.Fleet, r.Concurrency, r.Estate, r.Seed)
	fmt.Fprintf(t, "What\tMeasured\tTarget\tVerdict\tNote\n")
	for _, f := range r.Figures {
		goal := "–"
		if f.Target != nil {
			goal = "≤ " + number(*f.Target)
		}
		fmt.Fprintf(t, "%s\t%s %s\t%s\t%s\t%s\n", f.What, number(f.Measured), f.Unit, goal, f.verdict(), f.Note)
	}
}

func (r *report) printPhases(t io.Writer) {
	if len(r.Phases) == 0 {
		return
	}
	fmt.Fprintf(t, "\nWhere it goes, per machine (CPU in ms; idle noise taken off; maintenance: checkpointer, WAL writer, autovacuum;\n"+
		"the collector of identity, import and changes is this program)\n\t\n")
	fmt.Fprintf(t, "Phase\tCollector\tPostgreSQL\tof it maintenance\tStatements\tWAL bytes\tof it full pages\tWAL records\n")
	for _, p := range r.Phases {
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.0f\t%.0f\t%.2f\n", p.Name, p.Collector, p.Sessions+p.Maintenance, p.Maintenance,
			p.Statements, p.WALBytes, p.WALFullPages, p.WALRecords)
	}
	if i := r.Idle; i != nil {
		fmt.Fprintf(t, "idle, per second\t%.3f\t%.3f\t%.3f\t%.3f\t%.0f\t%.0f\t%.2f\n", i.Collector, i.Sessions+i.Maintenance, i.Maintenance,
			i.Statements, i.WALBytes, i.WALFullPages, i.WALRecords)
	}
}

func (r *report) printTables(t io.Writer) {
	if len(r.Tables) == 0 {
		return
	}
	fmt.Fprintf(t, "\nWhat a machine of the second half takes in the database, bytes\n\t\n")
	fmt.Fprintf(t, "Table\tAll\tRows\tIndexes\n")
	for _, s := range r.Tables {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\n", s.Table, s.All, s.All-s.Indexes, s.Indexes)
	}
}

// number shows three digits that count, and no more places than are worth it.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	assignments := max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0)
	return strconv.FormatFloat(v, 'f', min(assignments, 5), 64)
}
