package identify_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// pool are few values, so that records often have one in common.
var pool = map[string][]string{
	"serial": {"7KNZB12", "7KNZB22", "To Be Filled By O.E.M.", "ODMSAME9", ""},
	"uuid":   {"4c4c4544-004b-4e10-805a-b7c04f424831", "4445 4c4c", "44454c4c-4b00-104e-805a-b7c04f424831", "03000200-0400-0500-0006-000700080009", ""},
	"board":  {"CN722006CF01L1", "CN722006CF01L2", "None", ""},
	"mac":    {"a4:bb:6d:10:20:31", "a4:bb:6d:10:20:32", "a0:ce:c8:00:11:22", "02:42:ac:11:00:02"},
	"disk":   {"S4EWNX0R401251", "S4EWNX0R401252", "QM00001"},
	"os":     {"1f0c1e7a9d3b4c5e8f6a7b8c9d0e1f21", "2f0c1e7a9d3b4c5e8f6a7b8c9d0e1f22", ""},
	"tpm":    {strings.Repeat("9f2c", 16), strings.Repeat("0a1b", 16), "", ""},
	"native": {"aws:i-0a1b2c3d", "vdi:pool/1", "", ""},
	"name":   {"srv1", "pc-1"},
	"source": {"agent", "agent", "agent", "glpi:main", "purchase", "manual"},
}

func draw(t *rapid.T, kind string) string { return rapid.SampledFrom(pool[kind]).Draw(t, kind) }

func drawIDs(t *rapid.T) inventory.RawIdentifiers {
	ids := inventory.RawIdentifiers{
		Manufacturer: rapid.SampledFrom([]string{"Dell Inc.", "DELL", "HP", ""}).Draw(t, "maker"), SerialNumber: draw(t, "serial"),
		UUID: draw(t, "uuid"), BoardSerial: draw(t, "board"), OSInstallID: draw(t, "os"), TPM: draw(t, "tpm"), Hostname: draw(t, "name"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "macs") {
		ids.Interfaces = append(ids.Interfaces, inventory.InterfaceID{MAC: draw(t, "mac")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "disks") {
		ids.Disks = append(ids.Disks, inventory.DiskID{SerialNumber: draw(t, "disk")})
	}
	if native := draw(t, "native"); native != "" {
		ids.Native = []string{native}
	}
	return ids
}

// story is what a few records reported, and what was settled about them.
type story struct {
	reports     []report
	constraints []declaredConstraint
}

func drawStory(t *rapid.T) story {
	records := rapid.IntRange(1, 5).Draw(t, "records")
	var s story
	sources := map[string]string{}
	at := 0.0
	for range rapid.IntRange(1, 14).Draw(t, "reports") {
		at += rapid.SampledFrom([]float64{0.1, 1, 10}).Draw(t, "later")
		r := report{Record: fmt.Sprintf("r%d", rapid.IntRange(1, records).Draw(t, "record")), At: at, IDs: drawIDs(t)}
		if sources[r.Record] == "" {
			sources[r.Record] = draw(t, "source")
		}
		r.Source = sources[r.Record]
		s.reports = append(s.reports, r)
	}
	for range rapid.IntRange(0, 2).Draw(t, "constraints") {
		s.constraints = append(s.constraints, s.drawConstraint(t))
	}
	return s
}

func (s story) drawConstraint(t *rapid.T) declaredConstraint {
	record := func() string { return rapid.SampledFrom(s.reports).Draw(t, "of").Record }
	return declaredConstraint{
		A: record(), B: record(), Linked: rapid.Bool().Draw(t, "linked"),
		Origin: rapid.SampledFrom([]string{"operator", "fork"}).Draw(t, "origin"),
	}
}

// report returns the lattice of a story whose reports come in an order. The records have the same numbers in all orders.
func (s story) report(order []report) *lattice {
	l := newLattice(identify.Default())
	for _, r := range s.reports {
		if l.ids[r.Record] == 0 {
			id := int64(len(l.ids) + 1)
			l.ids[r.Record], l.names[id] = id, r.Record
		}
	}
	l.records = make([]inventory.RecordEvidence, len(l.ids))
	for _, r := range order {
		l.add(r)
	}
	return l
}

func partition(l *lattice, constraints []declaredConstraint) inventory.Partition {
	return identify.Default().Partition(l.candidateSet(constraints))
}

func same(t *rapid.T, what string, a, b inventory.Partition) {
	t.Helper()
	if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s:\n%s", what, diff)
	}
}

// TestOrderDoesNotMatter shuffles everything that has no order.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		n := s.report(s.reports).candidateSet(s.constraints)
		want := identify.Default().Partition(n)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffled := s.report(shuffle(random, s.reports)).candidateSet(shuffle(random, s.constraints))
		shuffled.Records = shuffle(random, shuffled.Records)
		for i := range shuffled.Records {
			intervals := shuffled.Records[i].Identifiers
			shuffled.Records[i].Identifiers = shuffle(random, append(intervals, intervals...))
		}
		same(t, "another order, and all claims twice", want, identify.Default().Partition(shuffled))
	})
}

func shuffle[T any](random *rand.Rand, s []T) []T {
	s = slices.Clone(s)
	random.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

// TestIncrementalIsBatch joins the reports one by one, in any order and some of them again, and decides after each: the
// last decision is that of all of them at once.
func TestIncrementalIsBatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		batch := partition(s.report(s.reports), s.constraints)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		order := shuffle(random, s.reports)
		order = append(order, order[:rapid.IntRange(0, len(order)).Draw(t, "again")]...)
		l := s.report(nil)
		var step inventory.Partition
		for _, r := range order {
			l.add(r)
			step = identify.Default().Partition(inventory.CandidateSet{
				Records:     slices.DeleteFunc(slices.Clone(l.records), func(w inventory.RecordEvidence) bool { return w.Record == 0 }),
				Constraints: l.candidateSet(s.constraints).Constraints,
			})
		}
		same(t, "step by step", batch, step)
	})
}

// TestInvariants checks what holds of every partition: each record is in one CI, what was settled to be two is two,
// also through third records, what was settled to be one is one where nothing was settled to be two, and CIs that
// agents report on show one of them.
func TestInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		l := s.report(s.reports)
		p := partition(l, s.constraints)
		cis := l.cis(p)
		if len(p.Assignments) != len(l.records) || len(cis) != len(l.records) {
			t.Fatalf("%d records have %d placements", len(l.records), len(p.Assignments))
		}
		separate := slices.ContainsFunc(s.constraints, func(c declaredConstraint) bool { return !c.Linked })
		for _, c := range s.constraints {
			switch {
			case c.A == c.B:
			case !c.Linked && cis[c.A] == cis[c.B]:
				t.Fatalf("%s and %s are one CI, and were settled to be two", c.A, c.B)
			case c.Linked && !separate && cis[c.A] != cis[c.B]:
				t.Fatalf("%s and %s are two CIs, and were settled to be one", c.A, c.B)
			}
		}
		checkPrimary(t, l, p)
		for _, r := range p.Reviews {
			if r.A >= r.B || cis[l.names[r.A]] == cis[l.names[r.B]] {
				t.Fatalf("a review about %v, whose CIs are %v", r, cis)
			}
		}
	})
}

func checkPrimary(t *rapid.T, l *lattice, p inventory.Partition) {
	t.Helper()
	agents, primaries := map[string]bool{}, map[string]bool{}
	for _, assignment := range p.Assignments {
		source := l.records[assignment.Record-1].Source
		agents[assignment.CI] = agents[assignment.CI] || source == "agent"
		primaries[assignment.CI] = primaries[assignment.CI] || assignment.Primary
		if assignment.Primary && (source == "purchase" || source == "manual") {
			t.Fatalf("the inventory of a %s is shown", source)
		}
	}
	for ci := range agents {
		if agents[ci] && !primaries[ci] {
			t.Fatalf("%s has agents, and nothing to show", ci)
		}
	}
}

// TestUndo settles something and revokes it: everything is as it was. Nothing that was passed in is changed.
func TestUndo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		n := s.report(s.reports).candidateSet(s.constraints)
		before := identify.Default().Partition(n)
		text, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		more := n
		more.Constraints = append(slices.Clone(n.Constraints), s.report(s.reports).candidateSet([]declaredConstraint{s.drawConstraint(t)}).Constraints...)
		identify.Default().Partition(more)
		same(t, "a constraint that was revoked", before, identify.Default().Partition(n))
		after, err := json.Marshal(n)
		if err != nil || string(text) != string(after) {
			t.Fatalf("the neighborhood was changed: %v\n%s", err, cmp.Diff(string(text), string(after)))
		}
	})
}

// TestSharedGrows adds contradictions: what was shared stays shared.
func TestSharedGrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		before := partition(s.report(s.reports), s.constraints).Shared
		more := s.drawConstraint(t)
		more.Linked = false
		after := partition(s.report(s.reports), append(slices.Clone(s.constraints), more)).Shared
		for _, identifier := range before {
			if !slices.Contains(after, identifier) {
				t.Fatalf("%s is not shared any more after %v", identifier, more)
			}
		}
	})
}

// TestNamesDoNotMatter returns records names: at most there is more to review.
func TestNamesDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		l := s.report(s.reports)
		before := partition(l, s.constraints)
		for i := range l.records {
			w := &l.records[i]
			w.Identifiers = append(slices.Clone(w.Identifiers), inventory.IdentifierInterval{Identifier: "name:|the-same", First: w.CreatedAt, Last: w.SeenAt})
		}
		after := partition(l, s.constraints)
		if diff := cmp.Diff(l.cis(before), l.cis(after)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestRejectedIsNoEvidence looks for what was rejected in everything that a decision returns.
func TestRejectedIsNoEvidence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		text, err := json.Marshal(partition(s.report(s.reports), s.constraints))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.reports {
			_, rejected := identify.Default().Normalize(r.IDs)
			for _, rejection := range rejected {
				if value := "|" + strings.ToLower(rejection.Value); strings.Contains(string(text), value) {
					t.Fatalf("%v is in %s", rejection, text)
				}
			}
		}
	})
}

// TestSharedIsNoEvidence checks that what is shared is not in the evidence of what was linked, unless it was one
// thing's own before it was copied.
func TestSharedIsNoEvidence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		p := partition(s.report(s.reports), nil)
		for _, assignment := range p.Assignments {
			for _, e := range slices.Concat(assignment.Reason.For, assignment.Reason.Against) {
				for _, identifier := range e.Identifiers {
					if slices.Contains(p.Shared, identifier) {
						t.Fatalf("%s is shared, and evidence for record %d", identifier, assignment.Record)
					}
				}
			}
		}
	})
}

// TestOverShared takes identifiers out of the decision.
func TestOverShared(t *testing.T) {
	t.Parallel()
	l := newLattice(identify.Default())
	for i, name := range []string{"a1", "a2"} {
		l.add(report{Record: name, At: float64(i), IDs: inventory.RawIdentifiers{Manufacturer: "Dell", SerialNumber: "7KNZB12"}})
	}
	n := l.candidateSet(nil)
	if got := l.groups(identify.Default().Partition(n)); len(got) != 1 {
		t.Fatalf("got %v, want one CI", got)
	}
	n.OverShared = []inventory.Identifier{"serial:dell|7knzb12", "serial_unscoped:|7knzb12", "mac:|a4:bb:6d:10:20:31"}
	p := identify.Default().Partition(n)
	if got := l.groups(p); len(got) != 2 {
		t.Errorf("got %v, want two CIs", got)
	}
	if diff := cmp.Diff(n.OverShared[:2], p.Shared); diff != "" {
		t.Errorf("shared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(n.OverShared[:2], p.Assignments[0].Reason.Shared); diff != "" {
		t.Errorf("shared in the reason (-want +got):\n%s", diff)
	}
}

// TestLivenessDependent tells the records that may yet turn out to be two things.
func TestLivenessDependent(t *testing.T) {
	t.Parallel()
	l := newLattice(identify.Default())
	for i, source := range []string{"agent", "agent", "glpi", "agent"} {
		ids := inventory.RawIdentifiers{Manufacturer: "Dell", SerialNumber: "7KNZB12", Hostname: "pc"}
		if i == 3 {
			ids.SerialNumber = "7KNZB22"
		}
		l.add(report{Record: fmt.Sprint("r", i), Source: source, At: float64(i), IDs: ids})
	}
	got := identify.Default().Partition(l.candidateSet(nil)).LivenessDependent
	if diff := cmp.Diff([]int64{1, 2}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
