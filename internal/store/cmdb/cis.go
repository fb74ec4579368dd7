package cmdb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

const ciColumns = `
	d.ci_id::text as id, d.class, d.name, d.attributes, c.created_at as first_seen,
	case when ` + db.IsNow + ` then seen.seen_at end as last_seen,
	case when ` + versionRetired + ` then d.valid_to end as retired_at,
	coalesce(retirement.actor, '') as retired_by, coalesce(retirement.reason, '') as retire_reason`

type ciRow struct {
	ID         string
	Class      string
	Name       string
	Attributes []byte
	FirstSeen  time.Time
	LastSeen   *time.Time
	RetiredAt  *time.Time

	RetiredBy, RetireReason string
}

func (r ciRow) ci() (inventory.CI, error) {
	attributes, err := db.DecodeAttributes(r.Attributes)
	return inventory.CI{
		ID: r.ID, Class: r.Class, Name: r.Name, Attributes: attributes,
		FirstSeen: r.FirstSeen, LastSeen: r.LastSeen,
		RetiredAt: r.RetiredAt, RetiredBy: r.RetiredBy, RetireReason: r.RetireReason,
	}, err
}

type sortedCIRow struct {
	ciRow

	SortKey string
}

// ListCIs lists CIs. Their positions are the sort key and the id. What is not known comes first, and fulfills no
// condition but that it be equal to "".
func (s *Store) ListCIs(ctx context.Context, q inventory.CIQuery, visit inventory.Visit[inventory.CI]) error {
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		sql, args, err := cisSQL(ctx, tx, q)
		if err != nil {
			return err
		}
		return db.ForEach(ctx, tx, "list CIs", sql, args, func(row sortedCIRow) error {
			ci, err := row.ci()
			if err != nil {
				return err
			}
			return visit(ci, inventory.Position{row.SortKey, row.ID})
		})
	})
}

func cisSQL(ctx context.Context, tx pgx.Tx, q inventory.CIQuery) (string, pgx.NamedArgs, error) {
	args := pgx.NamedArgs{"as_of": db.Instant(q.Page), "limit": db.Limit(q.Page)}
	fields, err := newCIFields(ctx, tx, q.Class, args)
	if err != nil {
		return "", nil, err
	}
	where, err := ciConditions(q, fields)
	if err != nil {
		return "", nil, err
	}
	order, id, err := ciOrder(q, fields)
	if err != nil {
		return "", nil, err
	}
	after, direction := ">", "asc"
	if q.Descending {
		after, direction = "<", "desc"
	}
	if q.After != nil {
		if err := devicePosition(q.After, order.cast, args); err != nil {
			return "", nil, err
		}
		where = append(where, fmt.Sprintf(`(%s, %s) %s (@after_key::%s, @after_id::uuid)`, order.expr, id, after, order.cast))
	}
	sql := `
		select ` + ciColumns + `, (` + sortKey(order.expr, order.cast) + `)::text as sort_key
		from ci_version d join ci c on c.id = d.ci_id` + versionSeen + versionRetirement + `
		where ` + strings.Join(where, ` and `) + `
		order by ` + order.expr + ` ` + direction + `, ` + id + ` ` + direction + `
		limit @limit`
	return sql, args, nil
}

// ciConditions are what a query asks of CIs, but for its position.
func ciConditions(q inventory.CIQuery, fields *ciFields) ([]string, error) {
	if !q.AsOf.IsZero() && slices.ContainsFunc(q.Filter, func(c inventory.Condition) bool { return c.Attribute == "last_seen" }) {
		return nil, db.Invalid("when CIs were seen last is known for now, and for no instant of the past")
	}
	for _, c := range q.Filter {
		if c.Attribute == inventory.AttributeClass && c.Operator == "=" && c.Value != "" {
			if err := fields.tree.check(c.Value); err != nil {
				return nil, err
			}
		}
	}
	where := []string{versionAt(q.Page)}
	if q.Retired {
		where[0] = versionOrLast(q.Page)
	}
	if q.Class != "" && q.Class != inventory.RootClass {
		classes, err := fields.tree.Below(q.Class)
		if err != nil {
			return nil, err
		}
		above, err := fields.tree.Above(q.Class)
		if err != nil {
			return nil, err
		}
		where = append(where, ofClasses(classes, fields.args))
		if slices.Contains(above, inventory.ClassComputer) {
			where = append(where, `d.device`) // which have indexes of their own
		}
	}
	if q.Search != "" {
		where = append(where, versionText+` like lower(@search)`)
		fields.args["search"] = db.Contains(q.Search)
	}
	filter, err := fields.conditions(q.Filter)
	return append(where, filter...), err
}

// ciOrder is what a query sorts by, and the id that tells equals apart, of the table in which their index is.
func ciOrder(q inventory.CIQuery, fields *ciFields) (field ciField, id string, err error) {
	switch q.OrderBy {
	case "":
		return ownFields["name"], `d.ci_id`, nil
	case "first_seen":
		return ownFields["first_seen"], `c.id`, nil
	case "last_seen":
		return field, "", db.Invalid("configuration items cannot be sorted by last_seen")
	default:
		field, err = fields.find(q.OrderBy)
		return field, `d.ci_id`, err
	}
}
