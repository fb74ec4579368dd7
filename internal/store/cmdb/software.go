package cmdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

const (
	// countDifference is the common table expression "difference": what to add to the current
	// counts of items to get those of the instant. These are the changes that were pending at the
	// instant, minus the changes that were added to the counts after it. It is one JSON object from
	// item to change, because looking up a key takes about 1 µs for any number of items. For a
	// table, PostgreSQL estimates few rows and chooses a slow join.
	countDifference = `
	recent as materialized (
		select item_ids, changes, base_ids, base_changes, 1 as sign from item_count_pending where at <= @as_of
		union all
		select item_ids, changes, base_ids, base_changes, -1 from item_count_log where at > @as_of
	), difference as materialized (
		select coalesce(jsonb_object_agg(c.item_id, c.change), '{}') as changes
		from (
			select d.item_id, sum(d.change) as change
			from (
				select unnest(r.item_ids) as item_id, r.sign * unnest(r.changes) as change from recent r
				union all
				select unnest(b.ids), n.change
				from (
					select c.base_id, sum(r.sign * c.change) as change
					from recent r cross join lateral unnest(r.base_ids, r.base_changes) c (base_id, change)
					group by c.base_id
				) n
				join item_base b on b.id = n.base_id
			) d
			group by d.item_id
		) c
	)`

	// softwareCount joins the row "counted" with the number of installations of a software s
	// (install_count). It needs countDifference.
	softwareCount = `
	cross join lateral (
		select sum(
			coalesce(n.installs, 0) + coalesce(((select changes from difference) ->> i.item_id::text)::bigint, 0)
		)::bigint as install_count
		from software_item i
		left join item_count n on n.item_id = i.item_id
		where i.software_id = s.id
	) counted`
)

// softwareColumns are the columns of an inventory.Software, of a software s with softwareCount.
const softwareColumns = `
	s.id, s.name, s.version, s.publisher, s.source, coalesce(counted.install_count, 0) as install_count`

// softwareTitle selects the row t by which the name and the publisher of a software s are searched.
const softwareTitle = `
	select from software t
	where t.is_title and left(t.name, 200) = left(s.name, 200) and t.name = s.name and t.publisher = s.publisher`

// softwareKey is the part of the name of a software s that the index sorts by.
const softwareKey = `left(s.name, 200)`

type softwareRow struct {
	inventory.Software

	SortKey string
}

// ListSoftware lists software by name.
func (s *Store) ListSoftware(
	ctx context.Context, q inventory.SoftwareQuery, visit inventory.Visit[inventory.Software],
) error {
	sql, args, err := softwareSQL(q)
	if err != nil {
		return err
	}
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		return db.ForEach(ctx, tx, "list software", sql, args, func(row softwareRow) error {
			return visit(row.Software, inventory.Position{row.SortKey, strconv.Itoa(int(row.ID))})
		})
	})
}

func softwareSQL(q inventory.SoftwareQuery) (string, pgx.NamedArgs, error) {
	args := pgx.NamedArgs{"as_of": db.Instant(q.Page), "limit": db.Limit(q.Page)}
	where := []string{`true`}
	if len(q.Words) > 0 {
		titles := []string{softwareTitle}
		for i, word := range q.Words {
			name := "word_" + strconv.Itoa(i)
			args[name] = db.Contains(word)
			titles = append(titles, `t.search like lower(@`+name+`)`)
		}
		where = append(where, `exists (`+strings.Join(titles, ` and `)+`)`)
	}
	if q.After != nil {
		if len(q.After) != 2 {
			return "", nil, db.ErrPosition
		}
		id, err := itemPosition(q.After[1:])
		if err != nil {
			return "", nil, db.ErrPosition
		}
		args["after_key"], args["after_id"] = q.After[0], id
		where = append(where, `(`+softwareKey+`, s.id) > (@after_key, @after_id)`)
	}
	counted := `counted.install_count > 0`
	if q.IncludeUninstalled {
		counted = `true`
	}
	sql := `
		with ` + countDifference + `
		select ` + softwareColumns + `, ` + softwareKey + ` as sort_key
		from software s` + softwareCount + `
		where ` + strings.Join(where, ` and `) + ` and ` + counted + `
		order by ` + softwareKey + `, s.id
		limit @limit`
	return sql, args, nil
}

// Software returns one software with the number of its installations at an instant (zero: now).
func (s *Store) Software(ctx context.Context, id int32, asOf time.Time) (inventory.Software, error) {
	var software inventory.Software
	err := s.Read(ctx, func(tx pgx.Tx) error {
		var found bool
		var err error
		software, found, err = db.One[inventory.Software](ctx, tx, `
			with `+countDifference+`
			select `+softwareColumns+`
			from software s`+softwareCount+`
			where s.id = @id`, pgx.NamedArgs{"id": id, "as_of": db.Instant(inventory.Page{AsOf: asOf})})
		if err != nil {
			return fmt.Errorf("read software: %w", err)
		}
		if !found {
			return noSoftware(id)
		}
		return nil
	})
	return software, err
}

func noSoftware(id int32) error { return db.NotFound("there is no software %d", id) }
