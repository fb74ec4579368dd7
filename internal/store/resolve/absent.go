package resolve

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// touchComponents touches the CIs of parts whose sight may count otherwise than before.
func (r *resolution) touchComponents(ctx context.Context) error {
	if len(r.noLongerObserved)+len(r.primaryChanged) == 0 {
		return nil
	}
	rows, err := r.tx.Query(
		ctx,
		`
		select m.ci_id::text
		from (
			select unnest($1::bigint[])
			union
			select unnest(array[l.from_record, l.to_record])
			from relationship l where l.observer = any($2) and l.valid_to = 'infinity'
		) p (record_id)
		join source_record s on s.id = p.record_id and s.source = $3
		join assignment m on m.record_id = s.id and m.valid_to = 'infinity'`,
		slices.Sorted(
			maps.Keys(r.noLongerObserved),
		),
		slices.Sorted(maps.Keys(r.primaryChanged)),
		inventory.SourceDiscovery,
	)
	if err != nil {
		return fmt.Errorf("find parts: %w", err)
	}
	clear(r.noLongerObserved)
	clear(r.primaryChanged)
	var ci string
	_, err = pgx.ForEachRow(rows, []any{&ci}, func() error {
		r.touched[ci] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("find parts: %w", err)
	}
	return nil
}

// absent gives the CIs of some that are there no more though nobody retired them: an installation
// that no inventory tells of, and what is known only by its place in an inventory that another one
// goes before. What has an identifier stays when it is unplugged: it is somewhere. So does the
// second system of a machine while the first one runs.
func (r *resolution) absent(ctx context.Context, cis []string) (map[string]bool, error) {
	rows, err := r.tx.Query(ctx, `
		select m.ci_id::text
		from assignment m
		join source_record s on s.id = m.record_id
		left join evidence e on e.record_id = s.id
		cross join lateral (
			select coalesce(bool_or((seer.is_primary or l.declared) and c.retired_at is null), false) as seen,
			       coalesce(bool_or(c.retired_at is null), false) as installed,
			       coalesce(bool_or(not seer.is_primary and not l.declared), false) as hidden
			from (
				select observer, declared from relationship where from_record = s.id and valid_to = 'infinity' and s.source = $2
				union all
				select observer, declared from relationship where to_record = s.id and valid_to = 'infinity' and s.source = $2
			) l
			join assignment seer on seer.record_id = l.observer and seer.valid_to = 'infinity'
			join ci c on c.id = seer.ci_id
		) o
		where m.ci_id = any($1::uuid[]) and m.valid_to = 'infinity'
		group by m.ci_id
		having bool_and(s.source = $2 and (
			s.base_class = $3 and not o.installed
			or o.hidden and not o.seen and coalesce(cardinality(e.identifiers), 0) = 0))`,
		cis, inventory.SourceDiscovery, inventory.ClassInstallation)
	if err != nil {
		return nil, fmt.Errorf("find what is absent: %w", err)
	}
	absent := map[string]bool{}
	var ci string
	_, err = pgx.ForEachRow(rows, []any{&ci}, func() error {
		absent[ci] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find what is absent: %w", err)
	}
	return absent, nil
}
