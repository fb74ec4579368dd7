package resolve

import (
	"context"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/store/db"
)

// touchComponents touches the CIs of components whose observers changed.
func (r *resolution) touchComponents(ctx context.Context) error {
	if len(r.noLongerObserved)+len(r.primaryChanged) == 0 {
		return nil
	}
	cis, err := db.Column[string](ctx, r.tx, "find components", `
		select m.ci_id::text
		from (
			select unnest($1::bigint[])
			union
			select unnest(array[l.from_record, l.to_record])
			from relationship l where l.observer = any($2) and l.valid_to = 'infinity'
		) p (record_id)
		join source_record s on s.id = p.record_id and s.source = $3
		join assignment m on m.record_id = s.id and m.valid_to = 'infinity'`,
		r.noLongerObserved.take(), r.primaryChanged.take(), inventory.SourceDiscovery)
	r.touched.add(cis...)
	return err
}

// componentRow is a record of a CI with one kind of its observers.
type componentRow struct {
	CI            string
	Record        int64
	Source        string
	BaseClass     string
	HasIdentifier bool
	Shared        bool
	Primary       *bool // nil: nobody observes it
	Retired       *bool
	Declared      *bool
}

// absent returns those of some CIs that are no longer there although nobody retired them; see
// reconcile.IsAbsent.
func (r *resolution) absent(ctx context.Context, cis []string) (map[string]bool, error) {
	rows, err := db.Collect[componentRow](ctx, r.tx, "read observers of components", `
		select m.ci_id::text as ci, m.record_id as record, s.source, s.base_class,
			coalesce(cardinality(e.identifiers), 0) > 0 as has_identifier,
			exists (
				select from finding f where f.type = $3 and f.records @> array[s.id] and f.closed_at is null
			) as shared, o."primary", o.retired, o.declared
		from assignment m
		join source_record s on s.id = m.record_id
		left join evidence e on e.record_id = s.id
		left join lateral (
			select distinct observer.is_primary as "primary", c.retired_at is not null as retired, l.declared
			from (
				select observer, declared from relationship where from_record = s.id and valid_to = 'infinity'
				union all
				select observer, declared from relationship where to_record = s.id and valid_to = 'infinity'
			) l
			join assignment observer on observer.record_id = l.observer and observer.valid_to = 'infinity'
			join ci c on c.id = observer.ci_id
		) o on s.source = $2
		where m.ci_id = any($1::uuid[]) and m.valid_to = 'infinity'
		order by m.ci_id, m.record_id`, cis, inventory.SourceDiscovery, inventory.FindingSharedComponent)
	if err != nil {
		return nil, err
	}
	absent := map[string]bool{}
	for ci, records := range componentRecords(rows) {
		if reconcile.IsAbsent(records) {
			absent[ci] = true
		}
	}
	return absent, nil
}

// componentRecords returns the records of each CI from rows that are sorted by CI and record.
func componentRecords(rows []componentRow) map[string][]reconcile.ComponentRecord {
	records := map[string][]reconcile.ComponentRecord{}
	var last int64
	for _, row := range rows {
		if row.Record != last {
			records[row.CI] = append(records[row.CI], reconcile.ComponentRecord{
				Source: row.Source, BaseClass: row.BaseClass, HasIdentifier: row.HasIdentifier, Shared: row.Shared,
			})
			last = row.Record
		}
		if row.Primary == nil {
			continue
		}
		record := &records[row.CI][len(records[row.CI])-1]
		record.Observers = append(record.Observers, reconcile.ComponentObserver{
			Primary: *row.Primary, Retired: *row.Retired, Declared: *row.Declared,
		})
	}
	return records
}
