// Package db is the connection pool and what every statement of the store shares: transactions
// (tx.go), queries and row scanning (query.go), arguments of a page and its instant (page.go),
// errors, JSON, and migrations. It does not know the meaning of any table. Start reading at Open,
// DB.Read and Collect.
package db

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/inventory"
)

// DB is a connection pool to one database. It is safe for concurrent use.
type DB struct {
	Pool *pgxpool.Pool

	statements *statementCounter
	outage     atomic.Pointer[inventory.Error] // see Watch
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
	config.PingTimeout = answerTimeout
	config.ConnConfig.ConnectTimeout = answerTimeout
	config.ConnConfig.DialFunc = watched(config.ConnConfig.DialFunc)
	// Every statement takes seconds at most, unless another session is stuck.
	config.ConnConfig.RuntimeParams["statement_timeout"] = strconv.Itoa(int(statementTimeout.Milliseconds()))
	config.ConnConfig.RuntimeParams["lock_timeout"] = "10s"
	// Compiling a plan takes longer than any of the statements.
	config.ConnConfig.RuntimeParams["jit"] = "off"
	// The indexes are in memory: many index look-ups are faster than a parallel sequential scan.
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

const (
	// statementTimeout is how long PostgreSQL works on one statement.
	statementTimeout = time.Minute
	// silenceTimeout is how long a server may send nothing during a statement. It is longer than
	// statementTimeout, so only a server that hangs exceeds it.
	silenceTimeout = statementTimeout + 15*time.Second
	// answerTimeout is how long a server may take to accept a connection, or to answer a ping.
	answerTimeout = 5 * time.Second
)

// inUTC makes pgx return times in UTC, whatever the time zone of the process.
func inUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
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

// InUse returns the number of connections in use.
func (d *DB) InUse() int { return int(d.Pool.Stat().AcquiredConns()) }
