package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// deviceOrders are the columns that devices can be sorted by, as constant SQL. Each is compared and continued in
// its own type.
var deviceOrders = map[string]struct{ column, cast string }{
	"":              {"d.name", "text"},
	"name":          {"d.name", "text"},
	"class":         {"d.class", "text"},
	"manufacturer":  {"d.manufacturer", "text"},
	"model":         {"d.model", "text"},
	"serial_number": {"d.serial_number", "text"},
	"uuid":          {"d.uuid", "text"},
	"os_name":       {"d.os_name", "text"},
	"os_version":    {"d.os_version", "text"},
	"first_seen":    {"c.created_at", "timestamptz"},
}

type deviceRow struct {
	inventory.Device

	SortKey string
}

// A device was last seen when any of its agents was. Where that was after the instant asked about, it is not known
// when it had been seen by then.
const deviceColumns = `
	d.ci_id::text as id, d.name, d.class, d.manufacturer, d.model, d.serial_number, d.uuid, d.os_name, d.os_version,
	c.created_at as first_seen, case when seen.seen_at <= @as_of then seen.seen_at end as last_seen`

const deviceSeen = `
	left join lateral (
		select max(greatest(a.seen_at, p.seen_at)) as seen_at
		from source_record r
		join agent a on a.record_id = r.id
		left join presence p on p.record_id = r.id
		where r.ci_id = d.ci_id
	) seen on true`

// versionAt picks the version of a device that was valid at the page's instant.
func versionAt(page inventory.Page) string {
	if page.AsOf.IsZero() {
		return `d.valid_to = 'infinity'`
	}
	return `d.valid_from <= @as_of and d.valid_to > @as_of`
}

// ListDevices lists devices. Their positions are the sort key and the id.
func (s *Store) ListDevices(ctx context.Context, q inventory.DeviceQuery, visit inventory.Visit[inventory.Device]) error {
	sql, args, err := devicesSQL(q)
	if err != nil {
		return err
	}
	return s.read(ctx, func(tx pgx.Tx) error {
		return each(ctx, tx, sql, args, func(row deviceRow) error {
			return visit(row.Device, inventory.Position{row.SortKey, row.ID})
		})
	})
}

func devicesSQL(q inventory.DeviceQuery) (string, pgx.NamedArgs, error) {
	order, ok := deviceOrders[q.OrderBy]
	if !ok {
		return "", nil, &inventory.Error{Code: inventory.CodeInvalid, Message: "devices cannot be sorted by " + q.OrderBy}
	}
	args := pgx.NamedArgs{"as_of": instant(q.Page), "limit": limit(q.Page)}
	where := []string{versionAt(q.Page)}
	if q.Search != "" {
		where = append(where, `(lower(d.name) like lower(@search) or lower(d.serial_number) like lower(@search)
			or lower(d.model) like lower(@search))`)
		args["search"] = contains(q.Search)
	}
	if q.Class != "" {
		where = append(where, `d.class = @class`)
		args["class"] = q.Class
	}
	after, direction := ">", "asc"
	if q.Descending {
		after, direction = "<", "desc"
	}
	if q.After != nil {
		if err := devicePosition(q.After, order.cast, args); err != nil {
			return "", nil, err
		}
		where = append(where, fmt.Sprintf(`(%s, d.ci_id) %s (@after_key::%s, @after_id::uuid)`, order.column, after, order.cast))
	}
	// The devices of the page are picked first, so that only they are looked up further.
	sql := `
		select ` + deviceColumns + `, d.sort_key
		from (
			select d.*, c.created_at, ` + sortKey(order.column, order.cast) + ` as sort_key
			from device d join ci c on c.id = d.ci_id
			where ` + strings.Join(where, ` and `) + `
			order by ` + order.column + ` ` + direction + `, d.ci_id ` + direction + `
			limit @limit
		) d
		join lateral (select d.created_at) c on true` + deviceSeen
	return sql, args, nil
}

// sortKey is the text form of a sort column; times keep all their digits.
func sortKey(column, cast string) string {
	if cast == "timestamptz" {
		return `to_char(` + column + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	}
	return column
}

func devicePosition(p inventory.Position, cast string, args pgx.NamedArgs) error {
	if len(p) != 2 {
		return errPosition
	}
	id, err := uuid.Parse(p[1])
	if err != nil {
		return errPosition
	}
	args["after_key"], args["after_id"] = p[0], id
	if cast == "timestamptz" {
		if args["after_key"], err = time.Parse(time.RFC3339Nano, p[0]); err != nil {
			return errPosition
		}
	}
	return nil
}

// contains is the LIKE pattern of everything that contains a text.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
