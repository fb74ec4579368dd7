package items

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// countChanges is the net change of the number of records that hold each item of software. Items of
// other sections are not counted, because no query reads their counts.
type countChanges map[inventory.ItemID]int32

func newCountChanges() countChanges { return countChanges{} }

func (n countChanges) add(c inventory.SectionChange) {
	if c.State.Section != inventory.SectionSoftware {
		return
	}
	for _, id := range c.Gained {
		n[id]++
	}
	for _, id := range c.Lost {
		n[id]--
	}
}

func (n countChanges) queue(batch *pgx.Batch) {
	ids := make([]inventory.ItemID, 0, len(n))
	for id, change := range n {
		if change != 0 {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	changes := make([]int32, len(ids))
	for i, id := range ids {
		changes[i] = n[id]
	}
	batch.Queue(`
		insert into item_count_pending (at, item_ids, changes)
		values (clock_timestamp(), $1, $2)`, ids, changes)
}

// Each fold writes the rows of all items that changed, and each reader adds up the pending changes:
// 50,000 of them, of 4,000 items in 50 groups, took 14 ms on PostgreSQL 15.
const (
	foldAfterChanges = 50_000
	foldAfter        = 20 * time.Second
)

// FoldCounts adds the pending changes to the folded counts, if they are many or old or if all is
// set, and returns how many groups they came from. An advisory lock lets one collector fold at a
// time; the others return 0. So no other transaction writes counts, and the rows need no lock that
// would be written to the WAL.
func (s *Store) FoldCounts(ctx context.Context, all bool) (int, error) {
	var folded int
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		var due bool
		err := tx.QueryRow(ctx, `
			select ($1 or coalesce(
				sum(cardinality(item_ids)) >= $2 or min(at) < clock_timestamp() - $3::interval, false
			))
				and pg_try_advisory_xact_lock(hashtext('muster fold counts'))
			from item_count_pending`, all, foldAfterChanges, foldAfter).Scan(&due)
		if err != nil || !due {
			return err
		}
		// A statement after the lock sees what the collector that had it before committed.
		return tx.QueryRow(ctx, foldCounts).Scan(&folded)
	})
	if err != nil {
		return 0, fmt.Errorf("fold counts: %w", err)
	}
	return folded, nil
}

const foldCounts = `
	with taken as (
		delete from item_count_pending returning at, item_ids, changes
	), logged as (
		insert into item_count_log (at, item_ids, changes) select at, item_ids, changes from taken
	), net as (
		select c.item_id, sum(c.change)::integer as change
		from taken t cross join lateral unnest(t.item_ids, t.changes) c (item_id, change)
		group by c.item_id having sum(c.change) <> 0
	), updated as (
		update item_count i set installs = i.installs + net.change from net where i.item_id = net.item_id
		returning i.item_id
	), added as (
		insert into item_count (item_id, installs)
		select item_id, change from net where item_id not in (select item_id from updated)
	)
	select count(*) from taken`
