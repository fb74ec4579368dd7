package identify_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// report is one report of a source in the test data.
type report struct {
	Record    string                   `json:"record"`
	Source    string                   `json:"source"`     // "": agent
	BaseClass string                   `json:"base_class"` // "": computer
	At        float64                  `json:"at"`         // days
	Boot      int                      `json:"boot"`       // of the machine, counted by the test
	IDs       inventory.RawIdentifiers `json:"ids"`

	identifiers []inventory.Identifier // of IDs; nil: not normalized yet
	rejected    []inventory.Rejection
}

// normalized returns the reports with their identifiers, so that all orders use the same ones.
func normalized(rules *identify.Rules, reports []report) []report {
	made := slices.Clone(reports)
	for i := range made {
		made[i].identifiers, made[i].rejected = rules.Normalize(made[i].IDs)
	}
	return made
}

// declaredConstraint is a constraint in the test data.
type declaredConstraint struct {
	A      string `json:"a"`
	B      string `json:"b"`
	Linked bool   `json:"linked"`
	Origin string `json:"origin"`
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n float64) time.Time { return epoch.Add(time.Duration(n * 24 * float64(time.Hour))) }

// lattice joins reports as the store does.
type lattice struct {
	rules   *identify.Rules
	ids     map[string]int64 // by arrival
	names   map[int64]string
	records []inventory.RecordEvidence

	silence   float64             // in days: how long an agent may be silent; 0: sessions are not known
	reports   map[string][]report // of each record
	connected []string
}

func newLattice(rules *identify.Rules) *lattice {
	return &lattice{rules: rules, ids: map[string]int64{}, names: map[int64]string{}, reports: map[string][]report{}}
}

// defaultCI returns the default CI of a test record.
func home(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }

func (l *lattice) add(r report) {
	at := day(r.At)
	id, known := l.ids[r.Record]
	if !known {
		id = int64(len(l.ids) + 1)
		l.ids[r.Record], l.names[id] = id, r.Record
		l.records = append(l.records, inventory.RecordEvidence{})
	}
	w := &l.records[id-1]
	if w.Record == 0 {
		*w = inventory.RecordEvidence{
			Record: id, Source: cmp.Or(r.Source, "agent"), BaseClass: cmp.Or(r.BaseClass, "computer"), CreatedAt: at, SeenAt: at, DefaultCI: home(r.Record),
		}
	}
	w.CreatedAt, w.SeenAt = earlier(w.CreatedAt, at), later(w.SeenAt, at)
	l.reports[r.Record] = append(l.reports[r.Record], r)
	identifiers := r.identifiers
	if identifiers == nil {
		identifiers, _ = l.rules.Normalize(r.IDs)
	}
	for _, identifier := range identifiers {
		l.interval(w, identifier, at)
	}
}

func (*lattice) interval(w *inventory.RecordEvidence, identifier inventory.Identifier, at time.Time) {
	i := slices.IndexFunc(w.Identifiers, func(c inventory.IdentifierInterval) bool { return c.Identifier == identifier })
	if i < 0 {
		w.Identifiers = append(w.Identifiers, inventory.IdentifierInterval{Identifier: identifier, First: at, Last: at})
		return
	}
	w.Identifiers[i].First, w.Identifiers[i].Last = earlier(w.Identifiers[i].First, at), later(w.Identifiers[i].Last, at)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// session returns the last session of a record.
func (l *lattice) session(name string) inventory.Session {
	reports := slices.SortedFunc(slices.Values(l.reports[name]), func(a, b report) int { return cmp.Compare(a.At, b.At) })
	if l.silence == 0 || len(reports) == 0 || cmp.Or(reports[0].Source, "agent") != "agent" {
		return inventory.Session{}
	}
	last := reports[len(reports)-1]
	since := last.At
	for i := len(reports) - 1; i > 0; i-- {
		if reports[i-1].Boot != last.Boot || since-reports[i-1].At > l.silence {
			break
		}
		since = reports[i-1].At
	}
	return inventory.Session{Since: day(since), Until: day(last.At + l.silence), Connected: slices.Contains(l.connected, name)}
}

func (l *lattice) candidateSet(constraints []declaredConstraint) inventory.CandidateSet {
	for name, record := range l.ids {
		l.records[record-1].Session = l.session(name)
	}
	n := inventory.CandidateSet{Records: l.records}
	for _, c := range constraints {
		n.Constraints = append(n.Constraints, inventory.Constraint{A: l.ids[c.A], B: l.ids[c.B], Linked: c.Linked, Origin: c.Origin})
	}
	return n
}

// groups returns the names of the records of each CI, sorted.
func (l *lattice) groups(p inventory.Partition) [][]string {
	byCI := map[string][]string{}
	for _, assignment := range p.Assignments {
		byCI[assignment.CI] = append(byCI[assignment.CI], l.names[assignment.Record])
	}
	var groups [][]string
	for _, group := range byCI {
		slices.Sort(group)
		groups = append(groups, group)
	}
	slices.SortFunc(groups, slices.Compare)
	return groups
}

// ci returns the CI of each record, by name.
func (l *lattice) cis(p inventory.Partition) map[string]string {
	cis := map[string]string{}
	for _, assignment := range p.Assignments {
		cis[l.names[assignment.Record]] = assignment.CI
	}
	return cis
}

func (l *lattice) name(records ...int64) []string {
	names := make([]string, len(records))
	for i, record := range records {
		names[i] = l.names[record]
	}
	slices.Sort(names)
	return names
}

func parse(t testing.TB, document string) *identify.Rules {
	t.Helper()
	rules, err := identify.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}
