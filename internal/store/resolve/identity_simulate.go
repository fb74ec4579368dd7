package resolve

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// maxSimulated bounds the changes that a simulation lists.
const maxSimulated = 1000

// IdentityRules returns the identification rules as JSON.
func (s *Store) IdentityRules() ([]byte, error) {
	rules, err := s.rules.Document()
	if err != nil {
		return nil, fmt.Errorf("encode rules: %w", err)
	}
	return rules, nil
}

// Simulate assigns all records by other rules, from their current evidence, and returns what would
// change. It changes nothing.
func (s *Store) Simulate(ctx context.Context, rules []byte) (inventory.Simulation, error) {
	other, err := parseRules(rules)
	if err != nil {
		return inventory.Simulation{}, db.Invalid("%s", err)
	}
	answer := inventory.Simulation{
		RulesVersion: other.Version(), Merges: []inventory.SimulatedChange{}, Splits: []inventory.SimulatedChange{},
	}
	err = s.Read(ctx, func(tx pgx.Tx) error {
		r := &resolution{tx: tx, rules: other}
		everything, err := r.everything(ctx)
		if err != nil {
			return err
		}
		answer.Records = len(everything.assigned)
		sim := simulation{candidates: everything, answer: &answer}
		for _, set := range everything.CandidateSets() {
			sim.compare(other.Partition(set))
		}
		return sim.name(ctx, tx)
	})
	return answer, err
}

// everything returns all records that are assigned, as candidates.
func (r *resolution) everything(ctx context.Context) (*candidates, error) {
	records, err := db.Column[int64](ctx, r.tx, "read records", `
		select record_id from assignment where valid_to = 'infinity' order by record_id`)
	if err != nil {
		return nil, err
	}
	n := candidateSearch{r, newCandidates()}
	for chunk := range slices.Chunk(records, 5000) {
		if err := n.load(ctx, chunk); err != nil {
			return nil, err
		}
	}
	holders := map[inventory.Identifier]int{}
	for _, w := range n.Evidence {
		for _, interval := range w.Identifiers {
			if identify.IsBlockingKey(interval.Identifier) {
				n.Searched[interval.Identifier] = true
				holders[interval.Identifier]++
			}
		}
	}
	for identifier, count := range holders {
		if count > identify.MaxRecordsPerIdentifier {
			n.OverShared[identifier] = true
		}
	}
	batch := &pgx.Batch{}
	n.queueConstraints(batch, records, map[int64]bool{})
	return n.candidates, r.send(ctx, "read constraints", batch)
}

// simulation compares the current assignments with those of other rules.
type simulation struct {
	*candidates

	answer *inventory.Simulation
}

func (s *simulation) compare(partition inventory.Partition) {
	after, before := map[string][]inventory.Assignment{}, map[string][]inventory.Assignment{}
	for _, p := range partition.Assignments {
		after[p.CI] = append(after[p.CI], p)
		before[s.assigned[p.Record].CI] = append(before[s.assigned[p.Record].CI], p)
	}
	for _, ci := range slices.Sorted(maps.Keys(after)) {
		was := map[string]bool{}
		for _, p := range after[ci] {
			was[s.assigned[p.Record].CI] = true
		}
		if len(was) > 1 {
			s.answer.Merges = s.add(s.answer.Merges, slices.Sorted(maps.Keys(was)), after[ci])
		}
	}
	for _, ci := range slices.Sorted(maps.Keys(before)) {
		if slices.ContainsFunc(before[ci], func(p inventory.Assignment) bool { return p.CI != before[ci][0].CI }) {
			s.answer.Splits = s.add(s.answer.Splits, []string{ci}, before[ci])
		}
	}
}

func (s *simulation) add(
	list []inventory.SimulatedChange, cis []string, assignments []inventory.Assignment,
) []inventory.SimulatedChange {
	if len(list) == maxSimulated {
		s.answer.Truncated = true
		return list
	}
	change := inventory.SimulatedChange{}
	for _, ci := range cis {
		change.CIs = append(change.CIs, inventory.CIRef{ID: ci})
	}
	var reasons []string
	for _, p := range assignments {
		change.Records = append(change.Records, p.Record)
		reasons = append(reasons, fmt.Sprintf("Record %d: %s", p.Record, identify.Explain(p.Reason)))
	}
	slices.Sort(change.Records)
	slices.Sort(reasons)
	change.Text = strings.Join(reasons, "\n")
	return append(list, change)
}

// name fills in what the CIs are called.
func (s *simulation) name(ctx context.Context, tx pgx.Tx) error {
	refs := map[string][]*inventory.CIRef{}
	for _, list := range [][]inventory.SimulatedChange{s.answer.Merges, s.answer.Splits} {
		for i := range list {
			for j := range list[i].CIs {
				ref := &list[i].CIs[j]
				refs[ref.ID] = append(refs[ref.ID], ref)
			}
		}
	}
	err := db.ForEach(ctx, tx, "name cis", `
		select ci_id::text as id, class, name from ci_version
		where ci_id = any(@cis::uuid[]) and valid_to = 'infinity'`,
		pgx.NamedArgs{"cis": slices.Sorted(maps.Keys(refs))}, func(row inventory.CIRef) error {
			for _, ref := range refs[row.ID] {
				*ref = row
			}
			return nil
		})
	slices.SortFunc(s.answer.Merges, byFirstRecord)
	slices.SortFunc(s.answer.Splits, byFirstRecord)
	return err
}

func byFirstRecord(a, b inventory.SimulatedChange) int {
	return cmp.Compare(a.Records[0], b.Records[0])
}
