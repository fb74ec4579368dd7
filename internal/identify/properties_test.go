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

// pool are few values, so that records often share one.
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

// story is the reports of a few records and the constraints between them.
type story struct {
	reports     []report
	constraints []declaredConstraint
	silence     float64
}

func drawStory(t *rapid.T) story {
	records := rapid.IntRange(1, 5).Draw(t, "records")
	s := story{silence: rapid.SampledFrom([]float64{0, 0.5, 5, 20}).Draw(t, "silence")}
	sources := map[string]string{}
	at := 0.0
	for range rapid.IntRange(1, 14).Draw(t, "reports") {
		at += rapid.SampledFrom([]float64{0.1, 1, 10}).Draw(t, "later")
		r := report{Record: fmt.Sprintf("r%d", rapid.IntRange(1, records).Draw(t, "record")), At: at, IDs: drawIDs(t), Boot: rapid.IntRange(0, 1).Draw(t, "boot")}
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

// report returns the lattice of a story whose reports arrive in an order. The records have the same
// numbers in all orders.
func (s story) report(order []report) *lattice {
	l := newLattice(identify.Default())
	l.silence = s.silence
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

// TestOrderDoesNotMatter shuffles everything whose order must not matter.
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
		same(t, "another order, and all intervals twice", want, identify.Default().Partition(shuffled))
	})
}

func shuffle[T any](random *rand.Rand, s []T) []T {
	s = slices.Clone(s)
	random.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

// TestIncrementalIsBatch joins the reports one by one, in any order and some repeatedly, with a
// partition after each: the last partition is that of all reports at once.
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
			n := l.candidateSet(s.constraints)
			n.Records = slices.DeleteFunc(slices.Clone(n.Records), func(w inventory.RecordEvidence) bool { return w.Record == 0 })
			step = identify.Default().Partition(n)
		}
		same(t, "step by step", batch, step)
	})
}

// TestInvariants: each record is in one CI; records that are declared separate are, also through
// third records; records that are declared linked are one CI unless they are declared separate;
// each CI with agents has a primary one.
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
			t.Fatalf("the record of a %s is primary", source)
		}
	}
	for ci := range agents {
		if agents[ci] && !primaries[ci] {
			t.Fatalf("%s has agents, and nothing to show", ci)
		}
	}
}

// TestLiveAgentKeepsItsCI: an agent that claims all that another, connected agent reports is not
// part of that one's CI. Nothing changes for the other records, whichever CIs they belong to.
func TestLiveAgentKeepsItsCI(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		s.silence = 20
		last := s.reports[len(s.reports)-1]
		for i := range s.reports { // the last one to report is the agent that is connected
			if s.reports[i].Record == last.Record {
				s.reports[i].Source = "agent"
			}
		}
		before := s.report(s.reports)
		before.connected = []string{last.Record}
		want := partition(before, s.constraints)
		impostor := last
		impostor.Record, impostor.Source, impostor.At = "impostor", "agent", last.At+0.1
		s.reports = append(s.reports, impostor)
		after := s.report(s.reports)
		after.connected = []string{last.Record}
		got := partition(after, s.constraints)
		if cis := after.cis(got); cis["impostor"] == cis[last.Record] {
			t.Fatal("the impostor is part of the CI of the agent that is connected")
		}
		for i, assignment := range want.Assignments {
			if now := got.Assignments[i]; now.CI != assignment.CI || now.Primary != assignment.Primary {
				t.Fatalf("record %d was %s (primary: %v), is %s (%v)", assignment.Record, assignment.CI, assignment.Primary, now.CI, now.Primary)
			}
		}
	})
}

// TestUndo: adding and revoking a constraint restores the partition. The arguments are not
// modified.
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
			t.Fatalf("the candidate set was modified: %v\n%s", err, cmp.Diff(string(text), string(after)))
		}
	})
}

// TestSharedGrows: with more contradictions, shared identifiers stay shared.
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

// TestNamesDoNotMatter: names of records may only add reviews.
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

// TestRejectedIsNoEvidence: no decision contains a rejected value.
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

// TestSharedIsNoEvidence: a shared identifier is not in the evidence of a link, unless it
// identified one device before it was copied.
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

// TestOverShared: over-shared identifiers do not count.
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

// TestLivenessDependent: records that may yet turn out to be two devices are liveness-dependent.
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
