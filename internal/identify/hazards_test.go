package identify_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// hazard is a case in which identifiers mislead: the reports, and the required outcome.
type hazard struct {
	Title       string               `json:"title"`
	Reports     []report             `json:"reports"`
	Constraints []declaredConstraint `json:"constraints"`
	Silence     float64              `json:"silence"`   // see lattice
	Connected   []string             `json:"connected"` // the records whose connections are open
	Want        outcome              `json:"want"`

	name string
}

// outcome is a partition by the names of the records.
type outcome struct {
	CIs         [][]string             `json:"cis"`
	Rules       map[string]string      `json:"rules"`
	Bits        map[string]int         `json:"bits"` // only the entries that a hazard has are compared
	Findings    []foundOutcome         `json:"findings"`
	Reviews     []reviewOutcome        `json:"reviews"`
	Shared      []inventory.Identifier `json:"shared"`
	Primary     []string               `json:"primary"`
	Held        []string               `json:"held"`
	PreviousCIs map[string]int         `json:"previous_cis"` // how many CIs each record left
	Rejected    map[string][]string    `json:"rejected"`     // patterns by record; compared as Bits are
}

type foundOutcome struct {
	Type       string               `json:"type"`
	Records    []string             `json:"records"`
	Identifier inventory.Identifier `json:"identifier"`
}

type reviewOutcome struct {
	Records []string `json:"records"`
	Type    string   `json:"type"`
}

func hazards(t testing.TB) []hazard {
	t.Helper()
	paths, err := filepath.Glob("testdata/hazards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no hazards in testdata: %v", err)
	}
	var all []hazard
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h := hazard{name: strings.TrimSuffix(filepath.Base(path), ".json")}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&h); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, h)
	}
	return all
}

// run returns the outcome of the hazard when its normalized reports arrive in an order.
func (h *hazard) run(rules *identify.Rules, reports []report) outcome {
	l := newLattice(rules)
	l.silence, l.connected = h.Silence, h.Connected
	got := outcome{Rules: map[string]string{}, Bits: map[string]int{}, PreviousCIs: map[string]int{}, Rejected: map[string][]string{}}
	for _, r := range reports {
		l.add(r)
		for _, rejection := range r.rejected {
			got.Rejected[r.Record] = append(got.Rejected[r.Record], rejection.Pattern)
		}
	}
	for name, patterns := range got.Rejected {
		slices.Sort(patterns)
		got.Rejected[name] = slices.Compact(patterns)
	}
	p := rules.Partition(l.candidateSet(h.Constraints))
	got.CIs, got.Shared = l.groups(p), p.Shared
	for _, assignment := range p.Assignments {
		name := l.names[assignment.Record]
		got.Rules[name], got.Bits[name] = assignment.Reason.Rule, assignment.Reason.Bits
		if assignment.Primary {
			got.Primary = append(got.Primary, name)
		}
		if len(assignment.PreviousCIs) > 0 {
			got.PreviousCIs[name] = len(assignment.PreviousCIs)
		}
	}
	slices.Sort(got.Primary)
	got.Held = l.name(p.Held...)
	for _, f := range p.Findings {
		got.Findings = append(got.Findings, foundOutcome{Type: f.Type, Records: l.name(f.Records...), Identifier: f.Identifier})
	}
	slices.SortFunc(got.Findings, func(a, b foundOutcome) int {
		return strings.Compare(a.Type+strings.Join(a.Records, " ")+string(a.Identifier), b.Type+strings.Join(b.Records, " ")+string(b.Identifier))
	})
	for _, r := range p.Reviews {
		got.Reviews = append(got.Reviews, reviewOutcome{Records: l.name(r.A, r.B), Type: r.Type})
	}
	slices.SortFunc(got.Reviews, func(a, b reviewOutcome) int { return slices.Compare(a.Records, b.Records) })
	return got
}

// diff compares an outcome with the hazard's, of Bits and Rejected only the entries that it has.
func (h *hazard) diff(got outcome) string {
	maps.DeleteFunc(got.Bits, func(name string, _ int) bool { _, ok := h.Want.Bits[name]; return !ok })
	maps.DeleteFunc(got.Rejected, func(name string, _ []string) bool { _, ok := h.Want.Rejected[name]; return !ok })
	return cmp.Diff(h.Want, got, cmpopts.EquateEmpty())
}

// TestHazards runs every hazard in every order of its reports, and with each report twice.
func TestHazards(t *testing.T) {
	t.Parallel()
	for _, h := range hazards(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if len(h.Reports) > 7 {
				t.Fatalf("%d reports have too many orders", len(h.Reports))
			}
			permute(normalized(identify.Default(), h.Reports), func(reports []report) bool {
				for _, order := range [][]report{reports, append(slices.Clone(reports), reports...)} {
					if diff := h.diff(h.run(identify.Default(), order)); diff != "" {
						t.Errorf("%s, reported in the order %s (-want +got):\n%s", h.Title, arrivals(order), diff)
						return false
					}
				}
				return true
			})
		})
	}
}

// permute calls visit with every order of the reports until it returns false.
func permute(reports []report, visit func([]report) bool) {
	var from func(int) bool
	work := slices.Clone(reports)
	from = func(i int) bool {
		if i == len(work) {
			return visit(work)
		}
		for j := i; j < len(work); j++ {
			work[i], work[j] = work[j], work[i]
			more := from(i + 1)
			work[i], work[j] = work[j], work[i]
			if !more {
				return false
			}
		}
		return true
	}
	from(0)
}

func arrivals(reports []report) string {
	var b strings.Builder
	for _, r := range reports {
		b.WriteString(" " + r.Record + "@" + day(r.At).Format("01-02"))
	}
	return b.String()
}
