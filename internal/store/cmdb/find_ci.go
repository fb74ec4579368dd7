package cmdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// FoundCI is the CI that an id stands for, in its version at the instant, or its last one if it is
// retired.
type FoundCI struct {
	ID      string
	Device  bool
	Class   string
	Retired bool

	ValidFrom time.Time // of the version
}

// FindCI returns the CI that an id stands for at the page's instant, or an inventory.Error with
// CodeNotFound. It is the first of these:
//
//  1. the CI with this id, if it is not retired;
//  2. the CI of a record whose default CI has this id, if it is not retired: the id was merged into it;
//  3. the CI with this id, or else that of such a record, although it is retired;
//  4. the CI of a record that was assigned to the CI with this id, of the last one to leave it. The id of a
//     later hardware period is the default CI of no record, so rule 2 does not find where it was merged.
//
// Of several records, the earliest counts.
func FindCI(ctx context.Context, tx pgx.Tx, id string, page inventory.Page) (FoundCI, error) {
	ci, found, err := db.One[FoundCI](ctx, tx, `
		select d.ci_id::text as id, d.device, d.class, d.valid_to <= @as_of as retired, d.valid_from
		from (
			select @id::uuid as ci_id, false as former, null::timestamptz as left_at, null::timestamptz as created_at,
				0 as record_id
			union all
			select m.ci_id, false, null, r.created_at, r.id
			from source_record r join assignment m on m.record_id = r.id
			where r.default_ci = @id::uuid and `+memberAt+`
			union all
			select m.ci_id, true, f.valid_to, r.created_at, r.id
			from assignment f join source_record r on r.id = f.record_id join assignment m on m.record_id = r.id
			where f.ci_id = @id::uuid and f.valid_to <= @as_of and `+memberAt+`
		) p
		join ci_version d on d.ci_id = p.ci_id and `+versionOrLast(page)+`
		order by p.former, retired, p.left_at desc, p.created_at nulls first, p.record_id
		limit 1`, pgx.NamedArgs{"id": id, "as_of": db.Instant(page)})
	if err != nil {
		return ci, fmt.Errorf("find CI: %w", err)
	}
	if !found {
		return ci, db.NotFound("there is no configuration item %s", id)
	}
	return ci, nil
}
