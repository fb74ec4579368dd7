package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// place finds out which CIs the records are that may have moved, and notes what changed by that.
func (r *resolution) place(ctx context.Context) error {
	if len(r.moved) == 0 {
		return nil
	}
	records := slices.Sorted(maps.Keys(r.moved))
	clear(r.moved)
	around, err := r.nearby(ctx, records)
	if err != nil {
		return err
	}
	p := &placing{nearby: around, members: map[string]int{}}
	for _, where := range around.placed {
		p.members[where.CI]++
	}
	neighborhoods := around.neighborhoods()
	partitions := make([]inventory.Partition, len(neighborhoods))
	for i, neighborhood := range neighborhoods {
		partitions[i] = r.judge.Partition(neighborhood)
	}
	p.findReturned(partitions)
	for _, partition := range partitions {
		if err := p.judged(partition); err != nil {
			return err
		}
	}
	for _, short := range around.cutShort(neighborhoods) {
		p.findings = append(p.findings, inventory.Finding{
			Type: findingCutShort, Records: []int64{short.Records[0].Record},
			Text: fmt.Sprintf("identifiers tie more than %d records together: those farther away were not looked at", maxNearby),
		})
	}
	return p.write(ctx)
}

// placing gathers what a look around changes.
type placing struct {
	*nearby

	members  map[string]int // how many of the records around are a CI, before
	moves    []inventory.Assignment
	shows    []int64 // records whose items count from now on
	hides    []int64 // records whose items no longer count
	decided  decisionRows
	reviews  []inventory.ReviewCase
	findings []inventory.Finding
	returned map[string]int64 // CIs that were retired, and who was heard of
	flag     []int64          // records that became unsettled
	unflag   []int64
}

// judged notes what of a partition is new.
func (p *placing) judged(partition inventory.Partition) error {
	p.reviews = append(p.reviews, partition.Reviews...)
	p.findings = append(p.findings, partition.Findings...)
	for _, to := range partition.Assignments {
		from, known := p.placed[to.Record]
		slices.Sort(to.PreviousCIs)
		if from.Retired && from.CI == to.CI {
			to.Primary = false
		}
		if !known || from.CI != to.CI || from.Shown != to.Primary || !slices.Equal(from.Departed, to.PreviousCIs) {
			p.moves = append(p.moves, to)
			p.touch(from, to, known)
		}
		if !known || from.CI != to.CI || from.Rule != to.Reason.Rule {
			if err := p.decide(from, to, known); err != nil {
				return err
			}
		}
		gone := from.CI == to.CI && (from.Retired || from.Gone) // if it is heard of, it is not
		if gone && p.heard[to.Record] {
			p.touched[to.CI] = true
		}
		p.settledness(to.Record, known && from.Unsettled, gone || slices.Contains(partition.LivenessDependent, to.Record))
	}
	return nil
}

func (p *placing) touch(from placed, to inventory.Assignment, known bool) {
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
	case to.Primary && !from.Shown:
		p.shows, p.resighted[to.Record] = append(p.shows, to.Record), true
	case !to.Primary && from.Shown:
		p.hides, p.resighted[to.Record] = append(p.hides, to.Record), true
	}
}

func (p *placing) settledness(record int64, was, is bool) {
	switch {
	case is && !was:
		p.flag = append(p.flag, record)
	case was && !is:
		p.unflag = append(p.unflag, record)
	}
}

// decide notes why a record is where it is.
func (p *placing) decide(from placed, to inventory.Assignment, known bool) error {
	action := p.action(from, to, known)
	witness := p.witnesses[to.Record]
	if action == actionCreated && witness.Source == sourceDiscovery {
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

// What a decision did to a record.
const (
	actionCreated   = "created"   // it is a CI of its own
	actionLinked    = "linked"    // it is a CI that was known before
	actionMerged    = "merged"    // it was a CI of its own
	actionSplit     = "split"     // it is no longer what others are
	actionMoved     = "moved"     // its thing is another one now
	actionConfirmed = "confirmed" // it is what it was, for another reason
)

func (p *placing) action(from placed, to inventory.Assignment, known bool) string {
	home := p.witnesses[to.Record].DefaultCI
	switch {
	case !known && to.CI == home && p.members[to.CI] == 0:
		return actionCreated
	case !known:
		return actionLinked
	case from.CI == to.CI:
		return actionConfirmed
	case slices.Contains(to.PreviousCIs, from.CI):
		return actionMoved
	case from.CI == home:
		return actionMerged
	default:
		return actionSplit
	}
}

// write applies what was gathered.
func (p *placing) write(ctx context.Context) error {
	batch := &pgx.Batch{}
	p.queueReturned(batch)
	p.queueFlags(batch)
	p.queueMoves(batch)
	p.queueCounts(batch)
	p.decided.queue(batch, p.at, p.actor.Name)
	if err := p.send(ctx, "place records", batch); err != nil {
		return err
	}
	records := slices.Sorted(maps.Keys(p.witnesses))
	if err := p.syncReviews(ctx, records, p.reviews); err != nil {
		return err
	}
	return p.syncFindings(ctx, records, p.findings, false)
}

// queueFlags locks the records that are changed, in one order, before anything is read that their lock protects.
func (p *placing) queueFlags(batch *pgx.Batch) {
	if locked := slices.Concat(p.flag, p.unflag, p.shows, p.hides); len(locked) > 0 {
		batch.Queue(`select id from source_record where id = any($1) order by id for update`, locked)
	}
	if len(p.flag) > 0 {
		batch.Queue(`update source_record set unsettled = true where id = any($1)`, p.flag)
	}
	if len(p.unflag) > 0 {
		batch.Queue(`update source_record set unsettled = false where id = any($1)`, p.unflag)
	}
}

func (p *placing) queueMoves(batch *pgx.Batch) {
	if len(p.moves) == 0 {
		return
	}
	var (
		records  = make([]int64, len(p.moves))
		cis      = make([]string, len(p.moves))
		shown    = make([]bool, len(p.moves))
		departed = make([]string, len(p.moves))
	)
	for i, to := range p.moves {
		records[i], cis[i], shown[i] = to.Record, to.CI, to.Primary
		departed[i] = arrayLiteral(to.PreviousCIs)
	}
	batch.Queue(`
		insert into ci (id, created_at)
		select distinct ci, $2::timestamptz from unnest($1::uuid[]) n (ci) order by ci
		on conflict do nothing`, cis, p.at)
	batch.Queue(`update membership set valid_to = $2 where record_id = any($1) and valid_to = 'infinity'`, records, p.at)
	batch.Queue(`
		insert into membership (record_id, valid_from, ci_id, shown, departed)
		select n.record_id, $5, n.ci_id, n.shown, n.departed::uuid[]
		from unnest($1::bigint[], $2::uuid[], $3::boolean[], $4::text[]) n (record_id, ci_id, shown, departed)`,
		records, cis, shown, departed, p.at)
}

// queueCounts has the items of records count that are shown from now on, and those of others no longer.
func (p *placing) queueCounts(batch *pgx.Batch) {
	if len(p.shows)+len(p.hides) == 0 {
		return
	}
	batch.Queue(`
		insert into item_count_pending (at, item_ids, changes)
		select $3, array_agg(net.id order by net.id), array_agg(net.change order by net.id)
		from (
			select i.id, sum(case when s.record_id = any($1) then 1 else -1 end)::integer as change
			from item_set s cross join lateral unnest(s.ids) i (id)
			where s.record_id = any($1) or s.record_id = any($2)
			group by i.id
		) net
		where net.change <> 0
		having count(*) > 0`, orEmpty(p.shows), orEmpty(p.hides), p.at)
}

func orEmpty(records []int64) []int64 {
	if records == nil {
		return []int64{}
	}
	return records
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
