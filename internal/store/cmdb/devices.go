package cmdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// deviceOrders are the columns that devices can be sorted by, and the id that tells equals apart, as constant SQL.
// There is an index for each.
var deviceOrders = map[string]struct{ column, cast, id string }{
	"":              {"d.name", "text", "d.ci_id"},
	"name":          {"d.name", "text", "d.ci_id"},
	"class":         {"d.class", "text", "d.ci_id"},
	"manufacturer":  {"coalesce(d.attributes ->> 'manufacturer', '')", "text", "d.ci_id"},
	"model":         {"coalesce(d.attributes ->> 'model', '')", "text", "d.ci_id"},
	"serial_number": {"coalesce(d.attributes ->> 'serial_number', '')", "text", "d.ci_id"},
	"uuid":          {"coalesce(d.attributes ->> 'uuid', '')", "text", "d.ci_id"},
	"os_name":       {"coalesce(d.attributes ->> 'os_name', '')", "text", "d.ci_id"},
	"os_version":    {"coalesce(d.attributes ->> 'os_version', '')", "text", "d.ci_id"},
	"first_seen":    {"c.created_at", "timestamptz", "c.id"},
}

type deviceRow struct {
	inventory.Device

	SortKey string
}

const deviceColumns = `
	d.ci_id::text as id, d.name, d.class, coalesce(d.attributes ->> 'manufacturer', '') as manufacturer,
	coalesce(d.attributes ->> 'model', '') as model, coalesce(d.attributes ->> 'serial_number', '') as serial_number,
	coalesce(d.attributes ->> 'uuid', '') as uuid, coalesce(d.attributes ->> 'os_name', '') as os_name,
	coalesce(d.attributes ->> 'os_version', '') as os_version,
	c.created_at as first_seen, case when ` + db.IsNow + ` then seen.seen_at end as last_seen`

// ListDevices lists devices. Their positions are the sort key and the id.
func (s *Store) ListDevices(ctx context.Context, q inventory.DeviceQuery, visit inventory.Visit[inventory.Device]) error {
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		classes, err := ClassAndBelow(ctx, tx, q.Class)
		if err != nil {
			return err
		}
		sql, args, err := devicesSQL(q, classes)
		if err != nil {
			return err
		}
		return db.ForEach(ctx, tx, "list devices", sql, args, func(row deviceRow) error {
			return visit(row.Device, inventory.Position{row.SortKey, row.ID})
		})
	})
}

// devicesSQL is the statement for a page of the devices of some classes; nil: of all.
func devicesSQL(q inventory.DeviceQuery, classes []string) (string, pgx.NamedArgs, error) {
	order, ok := deviceOrders[q.OrderBy]
	if !ok {
		return "", nil, &inventory.Error{Code: inventory.CodeInvalid, Message: "devices cannot be sorted by " + q.OrderBy}
	}
	args := pgx.NamedArgs{"as_of": db.Instant(q.Page), "limit": db.Limit(q.Page)}
	where := []string{`d.device`, versionAt(q.Page)}
	if q.Search != "" {
		where = append(where, versionText+` like lower(@search)`)
		args["search"] = db.Contains(q.Search)
	}
	if classes != nil {
		where = append(where, ofClasses(classes, args))
	}
	after, direction := ">", "asc"
	if q.Descending {
		after, direction = "<", "desc"
	}
	if q.After != nil {
		if err := devicePosition(q.After, order.cast, args); err != nil {
			return "", nil, err
		}
		where = append(where, fmt.Sprintf(`(%s, %s) %s (@after_key::%s, @after_id::uuid)`, order.column, order.id, after, order.cast))
	}
	sql := `
		select ` + deviceColumns + `, ` + sortKey(order.column, order.cast) + ` as sort_key
		from ci_version d join ci c on c.id = d.ci_id` + versionSeen + `
		where ` + strings.Join(where, ` and `) + `
		order by ` + order.column + ` ` + direction + `, ` + order.id + ` ` + direction + `
		limit @limit`
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
		return db.ErrPosition
	}
	id, err := uuid.Parse(p[1])
	if err != nil {
		return db.ErrPosition
	}
	args["after_key"], args["after_id"] = p[0], id
	if cast == "timestamptz" {
		if args["after_key"], err = time.Parse(time.RFC3339Nano, p[0]); err != nil {
			return db.ErrPosition
		}
	}
	return nil
}
