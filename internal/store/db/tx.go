package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// InTx runs f in a read-write transaction, which it commits if f succeeds and rolls back otherwise.
func (d *DB) InTx(ctx context.Context, f func(pgx.Tx) error) error {
	return DataError(pgx.BeginFunc(ctx, d.Pool, f))
}

// Read runs f in a read-only transaction, in which all statements read one snapshot of the
// database.
func (d *DB) Read(ctx context.Context, f func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return DataError(pgx.BeginTxFunc(ctx, d.Pool, options, f))
}

// List is Read for a list of one statement. A list without a limit has no statement timeout,
// because its rows are sent as fast as the client reads them, and its plan uses an index for the
// order where one exists, so that the first row is sent at once.
func (d *DB) List(ctx context.Context, page inventory.Page, f func(pgx.Tx) error) error {
	return d.Read(ctx, func(tx pgx.Tx) error {
		if page.Limit == 0 {
			_, err := tx.Exec(ctx, `select set_config('statement_timeout', '0', true), set_config('enable_sort', 'off', true)`)
			if err != nil {
				return fmt.Errorf("prepare list: %w", err)
			}
		}
		return f(tx)
	})
}

// Sweep is Read for a list of many statements, each of which sorts few rows. It has no statement
// timeout, because a statement takes as long as the visitor of its rows, and joins tables as
// written.
func (d *DB) Sweep(ctx context.Context, f func(pgx.Tx) error) error {
	return d.Read(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('statement_timeout', '0', true)`); err != nil {
			return fmt.Errorf("prepare list: %w", err)
		}
		if err := JoinAsWritten(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// JoinAsWritten makes the statements of a transaction join their tables in the written order. For
// statements that are written in the best order, the search for a better one takes longer than the
// execution.
func JoinAsWritten(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select set_config('join_collapse_limit', '1', true)`)
	if err != nil {
		return fmt.Errorf("prepare statements: %w", err)
	}
	return nil
}
