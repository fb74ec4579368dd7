package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/musterhq/muster/internal/inventory"
)

// outages maps a SQLSTATE, or its class, to what the caller may know of it (PostgreSQL, appendix
// A). None of them is caused by the data: the same request can succeed later.
var outages = map[string]inventory.Error{
	"08":    {Message: "the connection to the database was lost", RetryAfter: 5 * time.Second},
	"40001": {Message: "concurrent changes got in each other's way", RetryAfter: time.Second},
	"40P01": {Message: "concurrent changes got in each other's way", RetryAfter: time.Second},
	"55P03": {Message: "other changes take too long", RetryAfter: 5 * time.Second},
	"57014": {Message: "the database is too slow at the moment", RetryAfter: 10 * time.Second},
	"57P":   {Message: "the database is starting or stopping", RetryAfter: 5 * time.Second},
	"53100": {Message: "the disk of the database is full; free space on it", RetryAfter: time.Minute},
	"53200": {Message: "the database has no memory left", RetryAfter: 30 * time.Second},
	"53300": {Message: "the database accepts no more connections", RetryAfter: 10 * time.Second},
	"53":    {Message: "the database has reached a limit", RetryAfter: 30 * time.Second},
	"25006": {Message: "the database is read-only at the moment", RetryAfter: time.Minute},
	"58":    {Message: "the system of the database reports an error", RetryAfter: 30 * time.Second},
}

// noAnswer is the outage of a database that cannot be reached or hangs.
var noAnswer = inventory.Error{Message: "the database does not answer", RetryAfter: 5 * time.Second}

// clockBehind is the outage of a database whose clock was set back. A version never begins before
// the one that it replaces, so changes wait until the clock has passed the last instants.
var clockBehind = inventory.Error{
	Message:    "the clock of the database is behind the last changes; it may have been set back",
	RetryAfter: time.Minute,
}

// Unavailable returns an inventory.Error with CodeUnavailable if err means that the database cannot
// do the work now, whatever the data. Otherwise, also if the caller canceled, it returns nil.
func Unavailable(err error) *inventory.Error {
	var known *inventory.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) && !connecting(err) {
		return nil
	}
	if IsOutOfOrder(err) {
		return unavailable(clockBehind)
	}
	state := sqlState(err)
	for length := len(state); length >= 2; length-- {
		if outage, ok := outages[state[:length]]; ok {
			return unavailable(outage)
		}
	}
	if lost := (*connError)(nil); errors.As(err, &lost) || connecting(err) || pgconn.SafeToRetry(err) {
		return unavailable(noAnswer)
	}
	return nil
}

// connecting reports whether err is the failure of a new connection. Its own time limit is
// answerTimeout.
func connecting(err error) bool {
	var failed *pgconn.ConnectError
	return errors.As(err, &failed)
}

func unavailable(outage inventory.Error) *inventory.Error {
	outage.Code = inventory.CodeUnavailable
	return &outage
}

// watchInterval is the time between two checks of Watch.
const watchInterval = time.Second

// Watch checks until ctx ends that the database answers, over a connection of its own. Outage
// returns the result.
func (d *DB) Watch(ctx context.Context) {
	w := &watcher{config: d.Pool.Config().ConnConfig}
	defer w.close()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		outage := w.check(ctx)
		if ctx.Err() != nil {
			return
		}
		d.outage.Store(outage)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Outage returns an inventory.Error with CodeUnavailable while the database does not answer, so
// that a caller can reject requests that would only wait. It is nil if Watch does not run.
func (d *DB) Outage() error {
	if outage := d.outage.Load(); outage != nil {
		return outage
	}
	return nil
}

// watcher is the state of Watch.
type watcher struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil: lost
}

// check returns nil if the database answers. A database that has no connection left for the watcher
// still answers others.
func (w *watcher) check(ctx context.Context) *inventory.Error {
	if w.conn != nil && w.ping(ctx) == nil {
		return nil
	}
	w.close() // the server may have been restarted
	var err error
	if w.conn, err = pgx.ConnectConfig(ctx, w.config); err != nil {
		w.conn = nil
		if sqlState(err) == "53300" {
			return nil
		}
		return Unavailable(err)
	}
	if w.ping(ctx) != nil {
		return unavailable(noAnswer)
	}
	return nil
}

func (w *watcher) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return w.conn.Ping(ctx)
}

func (w *watcher) close() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a server that hangs would not confirm the end
	_ = w.conn.Close(ctx)
	w.conn = nil
}
