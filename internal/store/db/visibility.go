package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	// visibilityTimeout is how long WaitUntilVisible waits for other transactions. They take
	// milliseconds.
	visibilityTimeout = 5 * time.Second
	// visibilityPoll is the time between two looks at the running transactions.
	visibilityPoll = 5 * time.Millisecond
)

// WaitUntilVisible waits until every change with an instant at or before asOf is visible:
// afterward, a query for that instant always has the same result. A transaction has its id before
// it takes the instant of a change, so this waits for all running transactions that have an id and
// began before the instant was over. If they take too long, it returns an inventory.Error with
// CodeUnavailable, and for a future instant one with CodeInvalid.
func (d *DB) WaitUntilVisible(ctx context.Context, asOf time.Time) error {
	deadline, cancel := context.WithTimeout(ctx, visibilityTimeout)
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var writers []string // nil: not yet known
	for {
		select {
		case <-deadline.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("wait for changes: %w", ctx.Err())
			}
			return &inventory.Error{Code: inventory.CodeUnavailable, Message: "changes of that instant are still being written; try again"}
		case <-timer.C:
		}
		ahead, current, err := d.writers(ctx, asOf, writers)
		switch {
		case err != nil:
			return err
		case ahead > visibilityTimeout.Seconds():
			return Invalid("%s is in the future", asOf.UTC().Format(time.RFC3339))
		case current != nil && len(current) == 0:
			return nil
		}
		writers = current // a transaction that begins later takes a later instant
		timer.Reset(visibilityPoll)
	}
}

// writers returns the ids of the running transactions of this database that may have taken an
// instant at or before asOf, of the known ones only if known is not nil. While asOf is not over,
// current is nil; ahead is the time until then in seconds.
func (d *DB) writers(ctx context.Context, asOf time.Time, known []string) (ahead float64, current []string, err error) {
	// PostgreSQL clears backend_xid after the changes of the transaction become visible, so the
	// next statement sees them. xact_start is null for the sessions of other roles, unless this
	// role is a superuser.
	err = d.Pool.QueryRow(ctx, `
		select extract(epoch from @as_of::timestamptz - clock_timestamp())::float8,
			case when clock_timestamp() > @as_of then array(
				select a.backend_xid::text
				from pg_stat_activity a
				where a.backend_xid is not null
					and a.datid = (select d.oid from pg_database d where d.datname = current_database())
					and (a.xact_start is null or a.xact_start <= @as_of)
					and (@known::text[] is null or a.backend_xid::text = any(@known))
			) end`, pgx.NamedArgs{"as_of": asOf, "known": known}).Scan(&ahead, &current)
	if err != nil {
		return 0, nil, fmt.Errorf("find running transactions: %w", err)
	}
	return ahead, current, nil
}
