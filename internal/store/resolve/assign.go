package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// assignmentChanges is the step after the partition. Its input is the candidates and their
// partitions; its output is what changes: assignments with their decisions, reviews and findings,
// and in the change set the records and CIs that reconcile has to look at.
type assignmentChanges struct {
	*candidates
	*changeSet

	observes func(source string) bool // as reconcile.Precedence

	members                 map[string]int // number of records of each CI before
	moves                   []inventory.Assignment
	becamePrimary           []int64 // records whose items count from now on
	lostPrimary             []int64 // records whose items no longer count
	decided                 decisionRows
	reviews                 []inventory.ReviewCase
	findings                []inventory.Finding
	returned                map[string]int64 // retired CIs that a source observed again, with its record
	becameLivenessDependent []int64          // records whose assignment depends on who is observed next
	notLivenessDependent    []int64
}

// assign assigns the records that may have moved: it finds their candidates, partitions them, and
// writes what changes.
func (r *resolution) assign(ctx context.Context) error {
	if len(r.moved) == 0 {
		return nil
	}
	records := r.moved.take()
	if err := r.mayAssign(records); err != nil {
		return err
	}
	found, err := r.findCandidates(ctx, records)
	if err != nil {
		return err
	}
	sets := found.CandidateSets()
	partitions := make([]inventory.Partition, len(sets))
	for i, set := range sets {
		partitions[i] = r.rules.Partition(set)
	}
	changes, err := assignmentsOf(found, partitions, &r.changeSet, r.rules.precedence.Observes)
	if err != nil {
		return err
	}
	changes.findings = append(changes.findings, cutShort(sets, found.cut)...)
	return r.writeAssignments(ctx, changes)
}

// assignmentsOf returns what the partitions of candidates change.
func assignmentsOf(
	found *candidates, partitions []inventory.Partition, changed *changeSet, observes func(source string) bool,
) (*assignmentChanges, error) {
	p := &assignmentChanges{candidates: found, changeSet: changed, observes: observes, members: map[string]int{}}
	for _, from := range found.assigned {
		p.members[from.CI]++
	}
	p.findReturned(partitions)
	for _, partition := range partitions {
		if err := p.apply(partition); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// cutShort returns a finding for each candidate set that is not complete.
func cutShort(sets []inventory.CandidateSet, cut map[int64]bool) []inventory.Finding {
	text := fmt.Sprintf("shared identifiers connect more than %d records: the records beyond them were not compared",
		identify.MaxCandidates)
	var findings []inventory.Finding
	for _, short := range identify.CutShort(sets, cut) {
		findings = append(findings, inventory.Finding{
			Type: inventory.FindingCutShort, Records: []int64{short.Records[0].Record}, Text: text,
		})
	}
	return findings
}

// mayAssign returns an error if a record has to be compared with others and the resolution has no
// lock.
func (r *resolution) mayAssign(records []int64) error {
	if r.exclusive {
		return nil
	}
	var others []int64
	for _, record := range records {
		if !r.isolated[record] {
			others = append(others, r.observersOf(record)...)
		}
	}
	return contend(others...)
}

// apply notes what of a partition is new.
func (p *assignmentChanges) apply(partition inventory.Partition) error {
	p.reviews = append(p.reviews, partition.Reviews...)
	p.findings = append(p.findings, partition.Findings...)
	p.held.add(partition.Held...)
	for _, to := range partition.Assignments {
		from, known := p.assigned[to.Record]
		slices.Sort(to.PreviousCIs)
		if from.Retired && from.CI == to.CI {
			to.Primary = false
		}
		if !known || from.CI != to.CI || from.Primary != to.Primary || !slices.Equal(from.PreviousCIs, to.PreviousCIs) {
			p.moves = append(p.moves, to)
			p.touch(from, to, known)
		}
		if !known || from.CI != to.CI || from.Rule != to.Reason.Rule {
			if err := p.decide(from, to); err != nil {
				return err
			}
		}
		disposed := from.CI == to.CI && (from.Retired || from.Disposed) // its next observation ends that
		if disposed && p.updated[to.Record] {
			p.touched.add(to.CI)
		}
		dependent := disposed || slices.Contains(partition.LivenessDependent, to.Record)
		p.noteLiveness(to.Record, known && from.LivenessDependent, dependent)
	}
	return nil
}

func (p *assignmentChanges) touch(from currentAssignment, to inventory.Assignment, known bool) {
	p.touched.add(to.CI)
	p.touched.add(to.PreviousCIs...)
	if !known {
		return
	}
	p.touched.add(from.CI)
	p.compared.add(to.Record) // the records that it disagreed with may belong to another CI now
	switch {
	case to.Primary && !from.Primary:
		p.becamePrimary = append(p.becamePrimary, to.Record)
		p.primaryChanged.add(to.Record)
	case !to.Primary && from.Primary:
		p.lostPrimary = append(p.lostPrimary, to.Record)
		p.primaryChanged.add(to.Record)
	}
}

func (p *assignmentChanges) noteLiveness(record int64, was, is bool) {
	switch {
	case is && !was:
		p.becameLivenessDependent = append(p.becameLivenessDependent, record)
	case was && !is:
		p.notLivenessDependent = append(p.notLivenessDependent, record)
	}
}

// decide notes why a record belongs to its CI.
func (p *assignmentChanges) decide(from currentAssignment, to inventory.Assignment) error {
	record := p.Evidence[to.Record]
	action := identify.Action(from.CI, to, record.DefaultCI, p.members[to.CI])
	if action == inventory.ActionCreated && record.Source == inventory.SourceDiscovery {
		return nil // a component is found by its key: there is nothing to explain
	}
	to.Reason.Rejected = p.rejected[to.Record]
	encoded, err := json.Marshal(to.Reason)
	if err != nil {
		return fmt.Errorf("encode reason: %w", err)
	}
	p.decided.add(to.Record, action, from.CI, to.CI, to.Reason.Rule, string(encoded))
	return nil
}

// writeAssignments writes what changes.
func (r *resolution) writeAssignments(ctx context.Context, p *assignmentChanges) error {
	batch := &pgx.Batch{}
	r.queueReturned(batch, p.returned)
	p.queueFlags(batch)
	p.queueMoves(batch, r.at)
	p.queueCounts(batch, r.at)
	p.decided.queue(batch, r.at, r.actor.Name)
	if err := r.send(ctx, "write assignments", batch); err != nil {
		return err
	}
	records := slices.Sorted(maps.Keys(p.Evidence))
	if err := r.syncReviews(ctx, records, p.reviews); err != nil {
		return err
	}
	return r.syncFindings(ctx, records, p.findings, false)
}

// queueFlags locks the records that are changed, in one order, before anything is read that their
// lock protects.
func (p *assignmentChanges) queueFlags(batch *pgx.Batch) {
	locked := slices.Concat(p.becameLivenessDependent, p.notLivenessDependent, p.becamePrimary, p.lostPrimary)
	if len(locked) > 0 {
		batch.Queue(`select id from source_record where id = any($1) order by id for update`, locked)
	}
	if len(p.becameLivenessDependent) > 0 {
		batch.Queue(`update source_record set liveness_dependent = true where id = any($1)`, p.becameLivenessDependent)
	}
	if len(p.notLivenessDependent) > 0 {
		batch.Queue(`update source_record set liveness_dependent = false where id = any($1)`, p.notLivenessDependent)
	}
}

func (p *assignmentChanges) queueMoves(batch *pgx.Batch, at time.Time) {
	if len(p.moves) == 0 {
		return
	}
	var (
		records     = make([]int64, len(p.moves))
		cis         = make([]string, len(p.moves))
		primary     = make([]bool, len(p.moves))
		previousCIs = make([]string, len(p.moves))
	)
	for i, to := range p.moves {
		records[i], cis[i], primary[i] = to.Record, to.CI, to.Primary
		previousCIs[i] = arrayLiteral(to.PreviousCIs)
	}
	batch.Queue(`
		insert into ci (id, created_at)
		select distinct ci, $2::timestamptz from unnest($1::uuid[]) n (ci) order by ci
		on conflict do nothing`, cis, at)
	batch.Queue(`update assignment set valid_to = $2 where record_id = any($1) and valid_to = 'infinity'`, records, at)
	batch.Queue(`
		insert into assignment (record_id, valid_from, ci_id, is_primary, previous_cis)
		select n.record_id, $5, n.ci_id, n.is_primary, n.previous_cis::uuid[]
		from unnest($1::bigint[], $2::uuid[], $3::boolean[], $4::text[]) 
			n (record_id, ci_id, is_primary, previous_cis)`,
		records, cis, primary, previousCIs, at)
}

// queueCounts adds the items of records that became primary to the counts, and subtracts those of
// records that no longer are.
func (p *assignmentChanges) queueCounts(batch *pgx.Batch, at time.Time) {
	if len(p.becamePrimary)+len(p.lostPrimary) == 0 {
		return
	}
	batch.Queue(`
		insert into item_count_pending (at, item_ids, changes)
		select $3, array_agg(net.id order by net.id), array_agg(net.change order by net.id)
		from (
			select i.id, sum(case when s.record_id = any($1) then i.n else -i.n end)::integer as change
			from item_set s
			left join item_base b on b.id = s.base_id
			cross join lateral (
				select unnest(s.plus) as id, 1 as n union all select unnest(b.ids), 1
				union all select unnest(s.minus), -1
			) i
			join software_item w on w.item_id = i.id -- items of other sections are not counted
			where s.record_id = any($1) or s.record_id = any($2)
			group by i.id
		) net
		where net.change <> 0
		having count(*) > 0`, orEmpty(p.becamePrimary), orEmpty(p.lostPrimary), at)
}

// orEmpty returns an empty array in the place of nil, which SQL would see as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// arrayLiteral is the text form of an array of uuids, as PostgreSQL reads it.
func arrayLiteral(ids []string) string {
	literal := []byte{'{'}
	for i, id := range ids {
		if i > 0 {
			literal = append(literal, ',')
		}
		literal = append(literal, id...)
	}
	return string(append(literal, '}'))
}
