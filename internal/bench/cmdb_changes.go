package main

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	changesEach    = 5    // item changes per machine and day
	changedVersion = 10   // one machine in ten gets a new version of its operating system
	sampleEvery    = 1000 // rows between two samples of the memory
)

// measureChanges measures reading a day of the change feed.
func (e *cmdb) measureChanges(ctx context.Context) error {
	// The first import of a month creates its partitions.
	if err := e.load(ctx, glpiInventory(2, 1), "created"); err != nil {
		return err
	}
	until := time.Now().Add(-time.Hour)
	since := until.Add(-24 * time.Hour)
	e.progress.stepf(0, "changes: filling a day in which %d items change on each machine", changesEach)
	if err := e.fillDay(ctx, since); err != nil {
		return err
	}
	var rows int
	var first, all time.Duration
	memory := newHeapMeter()
	spent, err := e.work(ctx, "changes: a day", 1, func() error {
		began := time.Now()
		memory.begin()
		q := inventory.FeedQuery{Since: since, Until: until}
		err := e.store.ListChanges(ctx, q, func(inventory.FeedChange, inventory.Position) error {
			if rows++; rows == 1 {
				first = time.Since(began)
			}
			if rows%sampleEvery == 0 {
				memory.sample()
			}
			return nil
		})
		all = time.Since(began)
		return err
	})
	if err != nil {
		return err
	}
	if want := e.cmdbMachines*changesEach + e.cmdbMachines/changedVersion; rows < want {
		return fmt.Errorf("%d changes listed, want %d", rows, want)
	}
	e.report.add("changes", float64(rows)/all.Seconds(), fmt.Sprintf("%d rows in %.1f s", rows, all.Seconds()))
	e.report.add("changes_cpu", spent.cpu()*1000/float64(rows), shares(spent.times(1000/float64(rows))))
	e.report.add("changes_first", inMilliseconds(first), "")
	e.report.add("changes_memory", float64(memory.growth())/(1<<20), "growth of the heap, garbage included")
	return nil
}

// fillDay writes changes, evenly spread over the 24 hours after an instant and in their order.
func (e *cmdb) fillDay(ctx context.Context, since time.Time) error {
	for _, part := range []struct {
		sql  string
		args []any
	}{
		{`insert into item (section_id, key_hash, digest, facts)
			select s.id, n, md5('bench ' || n)::uuid,
				json_build_object('source', 'dpkg', 'name', 'package-' || n / 2, 'version', '1.' || n % 2)
			from section s, generate_series(2, 2001) n where s.name = 'software'`, nil},
		{`with pair as (
				select row_number() over (order by o.id) - 1 as n, o.id as old, w.id as new
				from item o join item w on w.key_hash = o.key_hash + 1
				where o.key_hash between 2 and 2001 and o.key_hash % 2 = 0 and o.facts ->> 'name' like 'package-%'
			)
			insert into item_event (record_id, section_id, at, old_items, new_items)
			select r, s.id,
				$1::timestamptz + ((((r - 1) * 86400::bigint / $2) + k * 17280) % 86400) * interval '1 second'
					+ k * interval '1 microsecond',
				array[p.old], array[p.new]
			from section s cross join generate_series(1, $2::integer) r cross join generate_series(0, $3 - 1) k
			join pair p on p.n = (r * 7 + k * 13) % (select count(*) from pair)
			where s.name = 'software'
			order by 3`, []any{since, e.cmdbMachines, changesEach}},
		{`create temp table upgraded as
			select m.ci_id, $1::timestamptz + ((m.record_id - 1) * 86400 / $2) * interval '1 second' as at
			from assignment m where m.record_id <= $2 and m.record_id % $3 = 0 and m.valid_to = 'infinity'`,
			[]any{since, e.cmdbMachines, changedVersion}},
		{`update ci_version v set valid_to = t.at from upgraded t
			where v.ci_id = t.ci_id and v.valid_to = 'infinity'`, nil},
		{`insert into ci_version (ci_id, valid_from, device, class, name, attributes)
			select v.ci_id, t.at, v.device, v.class, v.name, v.attributes || '{"os_version": "12.1"}'
			from upgraded t join ci_version v on v.ci_id = t.ci_id and v.valid_to = t.at`, nil},
		{`vacuum (analyze)`, nil}, {`checkpoint`, nil},
	} {
		if _, err := e.database.session.Exec(ctx, part.sql, part.args...); err != nil {
			return fmt.Errorf("fill a day: %w", err)
		}
	}
	return nil
}
