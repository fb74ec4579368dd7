package cmdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/store/db"
)

// ClassAndBelow lists a class and all classes below it. "" gives nil: any class.
func ClassAndBelow(ctx context.Context, tx pgx.Tx, class string) ([]string, error) {
	if class == "" {
		return nil, nil
	}
	return classNames(ctx, tx, class, `
		with recursive tree as (
			select name, parent from ci_class where name = $1
			union all
			select c.name, c.parent from ci_class c join tree t on c.parent = t.name
		)
		select name from tree order by name`)
}

// ClassAndAbove lists a class and the classes above it, itself first.
func ClassAndAbove(ctx context.Context, tx pgx.Tx, class string) ([]string, error) {
	return classNames(ctx, tx, class, `
		with recursive tree as (
			select name, parent, 0 as step from ci_class where name = $1
			union all
			select c.name, c.parent, t.step + 1 from ci_class c join tree t on c.name = t.parent
		)
		select name from tree order by step`)
}

func classNames(ctx context.Context, tx pgx.Tx, class, sql string) ([]string, error) {
	rows, err := tx.Query(ctx, sql, class)
	if err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	if len(names) == 0 {
		return nil, db.Invalid("there is no class %s", class)
	}
	return names, nil
}

// ofClasses picks the versions d of CIs of some classes. Of one class they are read in the order of their names.
func ofClasses(classes []string, args pgx.NamedArgs) string {
	if len(classes) == 1 {
		args["class"] = classes[0]
		return `d.class = @class`
	}
	args["classes"] = classes
	return `d.class = any(@classes)`
}
