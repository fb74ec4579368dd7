// Package store is the only door to PostgreSQL. What machines hold is interned once for the whole fleet, a
// machine's inventory is a set of ids, and its history is what changed: see migrations/ for the tables. The
// package knows no section but software, which people search, and decides nothing: what is stored was decided
// by its callers, and of CIs by the Judge that it asks while it holds what the judgment is about.
package store

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

// Store is a connection pool to one database. It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	sections   *sectionIDs
	readings   *readingCodec
	partitions partitionClock
	statements *statementCounter
	judge      Judge
	newJudge   func(rules []byte) (Judge, error)
}

// Options says how to open a store; the zero value is fine.
type Options struct {
	// MaxConns bounds the pool; 0 means 16.
	MaxConns int32
	// NewJudge makes who decides which records are one CI and what is true of it, by the rules given; nil: those that are
	// built in. A store that only reads needs none.
	NewJudge func(rules []byte) (Judge, error)
}

// Open connects to a database that Migrate has been applied to. The caller closes the store.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
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
	// Compiling a plan takes longer than any of ours runs.
	config.ConnConfig.RuntimeParams["jit"] = "off"
	// Many small look-ups in indexes that are in memory beat reading tables from end to end, by however many workers.
	config.ConnConfig.RuntimeParams["random_page_cost"] = "1.1"
	config.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	config.ConnConfig.RuntimeParams["application_name"] = "muster-collector"
	var judge Judge
	if o.NewJudge != nil {
		if judge, err = o.NewJudge(nil); err != nil {
			return nil, fmt.Errorf("make judge: %w", err)
		}
	}
	codec, err := newReadingCodec()
	if err != nil {
		return nil, err
	}
	statements := &statementCounter{}
	config.ConnConfig.Tracer = statements
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	s := &Store{pool: pool, sections: newSectionIDs(), readings: codec, statements: statements, judge: judge, newJudge: o.NewJudge}
	if err := s.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	return s, nil
}

// Close closes the pool.
func (s *Store) Close() { s.pool.Close() }

// Ping asks the database for an answer.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// Now is the database's clock, which the collectors of one database share.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	if err := s.pool.QueryRow(ctx, `select clock_timestamp()`).Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("read database clock: %w", err)
	}
	return now, nil
}

// refusal tells an error that lies in the data from one of the connection or the server. Classes of SQLSTATE,
// PostgreSQL appendix A: 22 data exception, 23 integrity violation, 54 limit exceeded.
func refusal(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && len(pgErr.Code) == 5 && slices.Contains([]string{"22", "23", "54"}, pgErr.Code[:2]) {
		return fmt.Errorf("%w: %w", &inventory.Error{Code: inventory.CodeInvalid, Message: "the store refuses the data"}, err)
	}
	return err
}

// inTx runs f in a transaction: committed if f succeeds, rolled back otherwise.
func (s *Store) inTx(ctx context.Context, f func(pgx.Tx) error) error {
	return refusal(pgx.BeginFunc(ctx, s.pool, f))
}

// InUse is the number of connections that are at work.
func (s *Store) InUse() int { return int(s.pool.Stat().AcquiredConns()) }
