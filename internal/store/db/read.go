package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/musterhq/muster/internal/inventory"
)

// EndOfTime stands for now where a statement asks what was at an instant: nothing is later.
var EndOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// inUTC has times come from the database in UTC, wherever the program runs.
func inUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// IsNow says that a statement asks for now and no instant of the past. Of what is kept as it is now only, such as when
// something was seen last, the past is told nothing: the answer would be another when it is asked for again.
const IsNow = `@as_of = '9999-12-31 00:00:00+00'::timestamptz`

// Instant is the instant that a page is about.
func Instant(page inventory.Page) time.Time {
	if page.AsOf.IsZero() {
		return EndOfTime
	}
	return page.AsOf
}

// Limit is the SQL limit of a page; null is no limit.
func Limit(page inventory.Page) *int {
	if page.Limit == 0 {
		return nil
	}
	return &page.Limit
}

// Read runs f in a read-only transaction, in which all statements see the database at one moment.
func (s *DB) Read(ctx context.Context, f func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return DataError(pgx.BeginTxFunc(ctx, s.Pool, options, f))
}

// List runs f in such a transaction too. A whole list is sent as fast as it is read, however long that takes, and is
// planned to begin at once.
func (s *DB) List(ctx context.Context, page inventory.Page, f func(pgx.Tx) error) error {
	return s.Read(ctx, func(tx pgx.Tx) error {
		if page.Limit == 0 {
			_, err := tx.Exec(ctx, `select set_config('statement_timeout', '0', true), set_config('enable_sort', 'off', true)`)
			if err != nil {
				return fmt.Errorf("prepare list: %w", err)
			}
		}
		return f(tx)
	})
}

// Sweep runs f in such a transaction too, for a list that is put together from many statements, each of which sorts
// little. They take as long as whoever visits their rows.
func (s *DB) Sweep(ctx context.Context, f func(pgx.Tx) error) error {
	return s.Read(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('statement_timeout', '0', true)`); err != nil {
			return fmt.Errorf("prepare list: %w", err)
		}
		if err := JoinAsWritten(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// JoinAsWritten has the statements of a transaction join their tables in the order in which they are written. Where that
// is the order to read them in anyway, looking for a better one takes longer than reading.
func JoinAsWritten(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select set_config('join_collapse_limit', '1', true)`)
	if err != nil {
		return fmt.Errorf("prepare statements: %w", err)
	}
	return nil
}

// Each hands the rows of a statement to visit as they come. The statement is planned for its arguments: a plan for
// any argument would be a bad one for lists.
func Each[T any](ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs, visit func(T) error) error {
	// A list that ends early must not be read to its end: without its context, the connection is dropped.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := tx.Query(ctx, sql, pgx.QueryExecModeCacheDescribe, args)
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

// One reads a statement's only row. It reports false where there is none.
func One[T any](ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) (row T, found bool, err error) {
	err = Each(ctx, tx, sql, args, func(r T) error {
		row, found = r, true
		return nil
	})
	return row, found, err
}

func IsNotFound(err error) bool {
	var e *inventory.Error
	return errors.As(err, &e) && e.Code == inventory.CodeNotFound
}

func NotFound(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

var ErrPosition = &inventory.Error{Code: inventory.CodeInvalid, Message: "the page token is not one of this list"}
