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

// report is one report of a source, as the tests' data has it.
type report struct {
	Record string                `json:"record"`
	Source string                `json:"source"` // "": agent
	Kind   string                `json:"kind"`   // "": computer
	At     float64               `json:"at"`     // days
	IDs    inventory.Identifiers `json:"ids"`

	tokens   []inventory.Token // of IDs; nil: not made yet
	rejected []inventory.Rejection
}

// tokenized gives the reports with their tokens, so that they are made once for all orders.
func tokenized(rules *identify.Rules, reports []report) []report {
	made := slices.Clone(reports)
	for i := range made {
		made[i].tokens, made[i].rejected = rules.Tokens(made[i].IDs)
	}
	return made
}

// settled is a constraint of the tests' data.
type settled struct {
	A      string `json:"a"`
	B      string `json:"b"`
	Linked bool   `json:"linked"`
	Origin string `json:"origin"`
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n float64) time.Time { return epoch.Add(time.Duration(n * 24 * float64(time.Hour))) }

// lattice is what a store holds of reports: it joins them as they come.
type lattice struct {
	rules     *identify.Rules
	ids       map[string]int64 // by arrival
	names     map[int64]string
	witnesses []inventory.Witness
}

func newLattice(rules *identify.Rules) *lattice {
	return &lattice{rules: rules, ids: map[string]int64{}, names: map[int64]string{}}
}

// home is the CI that a record of the tests has.
func home(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }

func (l *lattice) add(r report) {
	at := day(r.At)
	id, known := l.ids[r.Record]
	if !known {
		id = int64(len(l.ids) + 1)
		l.ids[r.Record], l.names[id] = id, r.Record
		l.witnesses = append(l.witnesses, inventory.Witness{})
	}
	w := &l.witnesses[id-1]
	if w.Record == 0 {
		*w = inventory.Witness{
			Record: id, Source: cmp.Or(r.Source, "agent"), Kind: cmp.Or(r.Kind, "computer"), CreatedAt: at, SeenAt: at, Home: home(r.Record),
		}
	}
	w.CreatedAt, w.SeenAt = earlier(w.CreatedAt, at), later(w.SeenAt, at)
	tokens := r.tokens
	if tokens == nil {
		tokens, _ = l.rules.Tokens(r.IDs)
	}
	for _, token := range tokens {
		l.claim(w, token, at)
	}
}

func (*lattice) claim(w *inventory.Witness, token inventory.Token, at time.Time) {
	i := slices.IndexFunc(w.Claims, func(c inventory.Claim) bool { return c.Token == token })
	if i < 0 {
		w.Claims = append(w.Claims, inventory.Claim{Token: token, First: at, Last: at})
		return
	}
	w.Claims[i].First, w.Claims[i].Last = earlier(w.Claims[i].First, at), later(w.Claims[i].Last, at)
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

func (l *lattice) neighborhood(constraints []settled) inventory.Neighborhood {
	n := inventory.Neighborhood{Witnesses: l.witnesses}
	for _, c := range constraints {
		n.Constraints = append(n.Constraints, inventory.Constraint{A: l.ids[c.A], B: l.ids[c.B], Linked: c.Linked, Origin: c.Origin})
	}
	return n
}

// groups gives the names of the records of each CI, sorted.
func (l *lattice) groups(p inventory.Partition) [][]string {
	byCI := map[string][]string{}
	for _, placement := range p.Placements {
		byCI[placement.CI] = append(byCI[placement.CI], l.names[placement.Record])
	}
	var groups [][]string
	for _, group := range byCI {
		slices.Sort(group)
		groups = append(groups, group)
	}
	slices.SortFunc(groups, slices.Compare)
	return groups
}

// ci gives the CI of each record, by name.
func (l *lattice) cis(p inventory.Partition) map[string]string {
	cis := map[string]string{}
	for _, placement := range p.Placements {
		cis[l.names[placement.Record]] = placement.CI
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
