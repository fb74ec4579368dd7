package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Querier runs a query: a transaction or the pool.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// PlanForArguments is an option before the arguments of a query: PostgreSQL plans it for these
// arguments. A plan for any argument is slow for a list, whose number of rows depends on them.
const PlanForArguments = pgx.QueryExecModeCacheDescribe

// Collect returns all rows of a query; T is a struct with a field for each column
// (pgx.RowToStructByName). An error begins with what.
func Collect[T any](ctx context.Context, q Querier, what, sql string, args ...any) ([]T, error) {
	return collect(ctx, q, pgx.RowToStructByName[T], what, sql, args)
}

// Column returns all rows of a query that has one column. An error begins with what.
func Column[T any](ctx context.Context, q Querier, what, sql string, args ...any) ([]T, error) {
	return collect(ctx, q, pgx.RowTo[T], what, sql, args)
}

func collect[T any](
	ctx context.Context, q Querier, scan pgx.RowToFunc[T], what, sql string, args []any,
) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// ForEach calls visit with each row of a query, in order and while the rows arrive, until visit
// returns an error. The query has PlanForArguments. An error, also one of visit, begins with what.
func ForEach[T any](ctx context.Context, q Querier, what, sql string, args pgx.NamedArgs, visit func(T) error) error {
	if err := Each(ctx, q, sql, args, visit); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Each is ForEach without the prefix of errors, for a caller that wraps them itself.
func Each[T any](ctx context.Context, q Querier, sql string, args pgx.NamedArgs, visit func(T) error) error {
	// pgx reads the remaining rows when it closes a query. Canceling the context drops the
	// connection instead.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := q.Query(ctx, sql, PlanForArguments, args)
	if err != nil {
		return err
	}
	for rows.Next() {
		row, err := pgx.RowToStructByName[T](rows)
		if err == nil {
			err = visit(row)
		}
		if err != nil {
			cancel()
			rows.Close()
			return err
		}
	}
	return rows.Err()
}

// One returns the last row of a query that has one row at most. It reports false if there is none.
func One[T any](ctx context.Context, q Querier, sql string, args pgx.NamedArgs) (row T, found bool, err error) {
	err = Each(ctx, q, sql, args, func(r T) error {
		row, found = r, true
		return nil
	})
	return row, found, err
}
