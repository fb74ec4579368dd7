package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	// visibilityTimeout is how long Settle waits for those who write. They are done in milliseconds.
	visibilityTimeout = 5 * time.Second
	// visibilityPoll is how often it looks.
	visibilityPoll = 5 * time.Millisecond
)

// WaitUntilVisible waits until every change with an instant at or before asOf can be seen: from then on, the answer for that
// instant is the same for ever. A change is given its instant in a transaction that has a number already, so those to
// wait for are the ones that are under way, have a number and began before the instant was over. Where they take too
// long, the error is an inventory.Error with CodeUnavailable; an instant of the future is one with CodeInvalid.
func (s *DB) WaitUntilVisible(ctx context.Context, asOf time.Time) error {
	deadline, cancel := context.WithTimeout(ctx, visibilityTimeout)
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var writers []string // nil: not known yet
	for {
		select {
		case <-deadline.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("wait for changes: %w", ctx.Err())
			}
			return &inventory.Error{Code: inventory.CodeUnavailable, Message: "changes of that instant are still being written: ask again"}
		case <-timer.C:
		}
		ahead, current, err := s.writers(ctx, asOf, writers)
		switch {
		case err != nil:
			return err
		case ahead > visibilityTimeout.Seconds():
			return Invalid("%s is in the future", asOf.UTC().Format(time.RFC3339))
		case current != nil && len(current) == 0:
			return nil
		}
		writers = current // who begins from now on takes a later instant
		timer.Reset(visibilityPoll)
	}
}

// writers lists the transactions of this database that may have given an instant to a change; of some, if they are
// known, those that are still under way. While the instant is not over, the list is nil: it lies some seconds ahead.
func (s *DB) writers(ctx context.Context, asOf time.Time, known []string) (ahead float64, current []string, err error) {
	// A transaction that is no longer in the list is one that the next statement sees: its number is taken from it when
	// its changes become visible. Only a superuser or the writer's own role is told when a transaction began.
	err = s.Pool.QueryRow(ctx, `
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
		return 0, nil, fmt.Errorf("find changes under way: %w", err)
	}
	return ahead, current, nil
}
