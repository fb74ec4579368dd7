package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// assign finds out which CIs the records are that may have moved, and notes what changed by that.
func (r *resolution) assign(ctx context.Context) error {
	if len(r.moved) == 0 {
		return nil
	}
	records := slices.Sorted(maps.Keys(r.moved))
	clear(r.moved)
	if err := r.mayAssign(records); err != nil {
		return err
	}
	candidates, err := r.findCandidates(ctx, records)
	if err != nil {
		return err
	}
	p := &assignmentChanges{candidates: candidates, members: map[string]int{}}
	for _, where := range candidates.assigned {
		p.members[where.CI]++
	}
	sets := candidates.CandidateSets()
	partitions := make([]inventory.Partition, len(sets))
	for i, set := range sets {
		partitions[i] = r.rules.Partition(set)
	}
	p.findReturned(partitions)
	for _, partition := range partitions {
		if err := p.apply(partition); err != nil {
			return err
		}
	}
	for _, short := range identify.CutShort(sets, candidates.cut) {
		p.findings = append(p.findings, inventory.Finding{
			Type: inventory.FindingCutShort, Records: []int64{short.Records[0].Record},
			Text: fmt.Sprintf(
				"identifiers tie more than %d records together: those farther away were not looked at",
				identify.MaxCandidates,
			),
		})
	}
	return p.write(ctx)
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
	if len(others) == 0 {
		return nil
	}
	return contend(others...)
}

// assignmentChanges gathers what a look around changes.
type assignmentChanges struct {
	*candidates

	members                 map[string]int // how many of the records around are a CI, before
	moves                   []inventory.Assignment
	becamePrimary           []int64 // records whose items count from now on
	lostPrimary             []int64 // records whose items no longer count
	decided                 decisionRows
	reviews                 []inventory.ReviewCase
	findings                []inventory.Finding
	returned                map[string]int64 // CIs that were retired, and who was heard of
	becameLivenessDependent []int64          // records whose assignment depends on who is observed next
	notLivenessDependent    []int64
}

// apply notes what of a partition is new.
func (p *assignmentChanges) apply(partition inventory.Partition) error {
	p.reviews = append(p.reviews, partition.Reviews...)
	p.findings = append(p.findings, partition.Findings...)
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
		disposed := from.CI == to.CI && (from.Retired || from.Disposed) // if it is heard of, it is not
		if disposed && p.updated[to.Record] {
			p.touched[to.CI] = true
		}
		p.noteLiveness(
			to.Record,
			known && from.LivenessDependent,
			disposed || slices.Contains(partition.LivenessDependent, to.Record),
		)
	}
	return nil
}

func (p *assignmentChanges) touch(from currentAssignment, to inventory.Assignment, known bool) {
	p.touched[to.CI] = true
	for _, ci := range to.PreviousCIs {
		p.touched[ci] = true
	}
	if !known {
		return
	}
	p.touched[from.CI] = true
	p.compared[to.Record] = true // what it disagreed with may be another CI's now
	switch {
	case to.Primary && !from.Primary:
		p.becamePrimary, p.primaryChanged[to.Record] = append(p.becamePrimary, to.Record), true
	case !to.Primary && from.Primary:
		p.lostPrimary, p.primaryChanged[to.Record] = append(p.lostPrimary, to.Record), true
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

// decide notes why a record is where it is.
func (p *assignmentChanges) decide(from currentAssignment, to inventory.Assignment) error {
	record := p.Evidence[to.Record]
	action := identify.Action(from.CI, to, record.DefaultCI, p.members[to.CI])
	if action == inventory.ActionCreated && record.Source == inventory.SourceDiscovery {
		return nil // a part is found by its key: there is nothing to explain
	}
	to.Reason.Rejected = p.rejected[to.Record]
	encoded, err := json.Marshal(to.Reason)
	if err != nil {
		return fmt.Errorf("encode reason: %w", err)
	}
	p.decided.add(to.Record, action, from.CI, to.CI, to.Reason.Rule, string(encoded))
	return nil
}

// write applies what was gathered.
func (p *assignmentChanges) write(ctx context.Context) error {
	batch := &pgx.Batch{}
	p.queueReturned(batch)
	p.queueFlags(batch)
	p.queueMoves(batch)
	p.queueCounts(batch)
	p.decided.queue(batch, p.at, p.actor.Name)
	if err := p.send(ctx, "place records", batch); err != nil {
		return err
	}
	records := slices.Sorted(maps.Keys(p.Evidence))
	if err := p.syncReviews(ctx, records, p.reviews); err != nil {
		return err
	}
	return p.syncFindings(ctx, records, p.findings, false)
}

// queueFlags locks the records that are changed, in one order, before anything is read that their
// lock protects.
func (p *assignmentChanges) queueFlags(batch *pgx.Batch) {
	if locked := slices.Concat(p.becameLivenessDependent, p.notLivenessDependent, p.becamePrimary, p.lostPrimary); len(
		locked,
	) > 0 {
		batch.Queue(`select id from source_record where id = any($1) order by id for update`, locked)
	}
	if len(p.becameLivenessDependent) > 0 {
		batch.Queue(`update source_record set liveness_dependent = true where id = any($1)`, p.becameLivenessDependent)
	}
	if len(p.notLivenessDependent) > 0 {
		batch.Queue(`update source_record set liveness_dependent = false where id = any($1)`, p.notLivenessDependent)
	}
}

func (p *assignmentChanges) queueMoves(batch *pgx.Batch) {
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
		on conflict do nothing`, cis, p.at)
	batch.Queue(
		`update assignment set valid_to = $2 where record_id = any($1) and valid_to = 'infinity'`,
		records,
		p.at,
	)
	batch.Queue(`
		insert into assignment (record_id, valid_from, ci_id, is_primary, previous_cis)
		select n.record_id, $5, n.ci_id, n.is_primary, n.previous_cis::uuid[]
		from unnest($1::bigint[], $2::uuid[], $3::boolean[], $4::text[]) n (record_id, ci_id, is_primary,
			previous_cis)`,
		records, cis, primary, previousCIs, p.at)
}

// queueCounts has the items of records count that are shown from now on, and those of others no
// longer.
func (p *assignmentChanges) queueCounts(batch *pgx.Batch) {
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
				select unnest(s.plus) as id, 1 as n union all select unnest(b.ids), 1 union all
					select unnest(s.minus), -1
			) i
			join software_item w on w.item_id = i.id -- items of other sections are not counted
			where s.record_id = any($1) or s.record_id = any($2)
			group by i.id
		) net
		where net.change <> 0
		having count(*) > 0`, orEmpty(p.becamePrimary), orEmpty(p.lostPrimary), p.at)
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
