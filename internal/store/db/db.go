// Package db is the connection pool and what every statement of the store shares: transactions, the predicates that select
// what was valid at an instant, row scanning, and migrations. It knows no table's meaning. Start reading at Open, Read
// and instant.go.
package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/inventory"
)

// DB is a connection pool to one database. It is safe for concurrent use.
type DB struct {
	Pool *pgxpool.Pool

	statements *statementCounter
}

// Options configures the pool; the zero value is valid.
type Options struct {
	// MaxConns bounds the pool; 0 means 16.
	MaxConns int32
}

// Open connects to a database that Migrate has been applied to. The caller closes it.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database url: %w", err)
	}
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	config.MaxConns = o.MaxConns
	config.AfterConnect = inUTC
	// A statement that waits longer than this waits for something that is broken.
	config.ConnConfig.RuntimeParams["statement_timeout"] = "60s"
	config.ConnConfig.RuntimeParams["lock_timeout"] = "10s"
	// Compiling a plan takes longer than any of these statements runs.
	config.ConnConfig.RuntimeParams["jit"] = "off"
	// Indexes are in memory: many small look-ups are faster than a sequential scan by several workers.
	config.ConnConfig.RuntimeParams["random_page_cost"] = "1.1"
	config.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	config.ConnConfig.RuntimeParams["application_name"] = "muster-collector"
	statements := &statementCounter{}
	config.ConnConfig.Tracer = statements
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	d := &DB{Pool: pool, statements: statements}
	if err := d.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	return d, nil
}

// Close closes the pool.
func (d *DB) Close() { d.Pool.Close() }

// Ping returns an error if the database does not answer.
func (d *DB) Ping(ctx context.Context) error { return d.Pool.Ping(ctx) }

// Now returns the database's clock, which the collectors of one database share.
func (d *DB) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	if err := d.Pool.QueryRow(ctx, `select clock_timestamp()`).Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("read database clock: %w", err)
	}
	return now, nil
}

// DataError marks an error that lies in the data, as against the connection or the server, as an inventory.Error with
// CodeInvalid. Classes of SQLSTATE, PostgreSQL appendix A: 22 data exception, 23 integrity violation, 54 limit exceeded.
func DataError(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && len(pgErr.Code) == 5 && slices.Contains([]string{"22", "23", "54"}, pgErr.Code[:2]) {
		return fmt.Errorf("%w: %w", &inventory.Error{Code: inventory.CodeInvalid, Message: "the store refuses the data"}, err)
	}
	return err
}

// InTx runs f in a transaction, which it commits if f succeeds and rolls back otherwise.
func (d *DB) InTx(ctx context.Context, f func(pgx.Tx) error) error {
	return DataError(pgx.BeginFunc(ctx, d.Pool, f))
}

// InUse returns the number of connections in use.
func (d *DB) InUse() int { return int(d.Pool.Stat().AcquiredConns()) }
