package db

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
)

// TestUnavailableTellsOutagesFromFaults: PostgreSQL raises each SQLSTATE itself.
func TestUnavailableTellsOutagesFromFaults(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	for _, c := range []struct {
		state string
		retry time.Duration // 0: no outage
	}{
		{"53100", time.Minute},      // disk full
		{"53200", 30 * time.Second}, // out of memory
		{"53300", 10 * time.Second}, // too many connections
		{"53400", 30 * time.Second}, // configuration limit exceeded
		{"25006", time.Minute},      // read-only transaction
		{"57014", 10 * time.Second}, // query canceled: the statement timeout
		{"57P01", 5 * time.Second},  // admin shutdown
		{"57P03", 5 * time.Second},  // cannot connect now
		{"40001", time.Second},      // serialization failure
		{"40P01", time.Second},      // deadlock detected
		{"55P03", 5 * time.Second},  // lock not available
		{"58030", 30 * time.Second}, // I/O error
		{"08006", 5 * time.Second},  // connection failure
		{"22P02", 0},                // invalid text
		{"23505", 0},                // unique violation
		{"42P01", 0},                // undefined table
		{"54000", 0},                // limit exceeded
		{"57000", 0},                // operator intervention, of no known type
		{"XX000", 0},                // internal error
	} {
		_, err := d.Pool.Exec(t.Context(), `do $$ begin raise exception sqlstate '`+c.state+`'; end $$`)
		if err == nil {
			t.Fatalf("%s: no error", c.state)
		}
		outage := Unavailable(fmt.Errorf("apply: %w", err))
		switch {
		case c.retry == 0 && outage != nil:
			t.Errorf("%s: got the outage %q", c.state, outage.Message)
		case c.retry != 0 && (outage == nil || outage.RetryAfter != c.retry || outage.Code != inventory.CodeUnavailable):
			t.Errorf("%s: got %+v, want a retry after %v", c.state, outage, c.retry)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"no error":             nil,
		"canceled caller":      d.Ping(canceled),
		"an error of a caller": Invalid("wrong"),
		"another error":        errors.New("wrong"),
	} {
		if outage := Unavailable(err); outage != nil {
			t.Errorf("%s: got the outage %q", what, outage.Message)
		}
	}
}

// query is a statement that needs the server.
func query(ctx context.Context, d *DB) error {
	_, err := d.Now(ctx)
	return err
}

// until waits for a condition of a server that restarts.
func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !yes() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// openServer opens a pool to a server that the test may stop, and watches it.
func openServer(t *testing.T) (*pgtest.Server, *DB) {
	t.Helper()
	server := pgtest.Cluster(t)
	d, err := Open(t.Context(), server.URL(), Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		d.Watch(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		d.Close()
	})
	return server, d
}

// TestRestartedServer: without the server a statement is an outage, whether it uses an idle
// connection or a new one, and after the restart the same pool works.
func TestRestartedServer(t *testing.T) {
	t.Parallel()
	server, d := openServer(t)
	for _, end := range []func(testing.TB){server.Stop, server.Crash} {
		end(t)
		for range 3 {
			if err := query(t.Context(), d); Unavailable(err) == nil {
				t.Errorf("without a server: got %v", err)
			}
		}
		until(t, "Watch to notice the end", func() bool { return d.Outage() != nil })
		server.Start(t)
		until(t, "Watch to notice the start", func() bool { return d.Outage() == nil })
		if err := query(t.Context(), d); err != nil {
			t.Errorf("after the restart: %v", err)
		}
	}
}

// TestHungServer: a server that was stopped by a signal keeps its connections open. Watch notices
// it, and everything works when the server goes on, also the statement that waited.
func TestHungServer(t *testing.T) {
	t.Parallel()
	server, d := openServer(t)
	if err := query(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	resume := server.Hang(t)
	waiting := make(chan error, 1)
	go func() { waiting <- query(t.Context(), d) }()
	until(t, "Watch to notice that the server hangs", func() bool { return d.Outage() != nil })
	if outage := d.Outage(); outage.Error() != noAnswer.Message {
		t.Errorf("got %v", outage)
	}
	resume()
	until(t, "Watch to notice that the server answers", func() bool { return d.Outage() == nil })
	if err := <-waiting; err != nil && Unavailable(err) == nil {
		t.Errorf("the statement that waited: %v", err)
	}
	if err := query(t.Context(), d); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestExhaustedConnections: a server that accepts no more connections is an outage for the
// statement that needs a new one, and not for those that have one.
func TestExhaustedConnections(t *testing.T) {
	t.Parallel()
	server, d := openServer(t)
	until(t, "Watch to connect", func() bool {
		var sessions int
		err := d.Pool.QueryRow(t.Context(), `select count(*) from pg_stat_activity where usename = current_user`).Scan(&sessions)
		return err == nil && sessions == 2
	})
	var others []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), server.URL())
		if err != nil {
			if outage := Unavailable(err); outage == nil || outage.RetryAfter != 10*time.Second {
				t.Errorf("no connection left: got %+v of %v", outage, err)
			}
			break
		}
		others = append(others, conn)
	}
	if err := query(t.Context(), d); err != nil {
		t.Errorf("with a connection of its own: %v", err)
	}
	held, err := d.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := query(t.Context(), d); Unavailable(err) == nil {
		t.Errorf("without a connection: got %v", err)
	}
	held.Release()
	for _, conn := range others {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	until(t, "a new connection", func() bool {
		conn, err := pgx.Connect(t.Context(), server.URL())
		return err == nil && conn.Close(t.Context()) == nil
	})
	if d.Outage() != nil {
		t.Errorf("a server without free connections answers: got %v", d.Outage())
	}
}

// TestSilentServerLosesItsConnection: a read without an answer ends, unless pgx set a deadline
// itself, which then holds.
func TestSilentServerLosesItsConnection(t *testing.T) {
	t.Parallel()
	pair := func() *watchedConn {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = theirs.Close() })
		return &watchedConn{Conn: ours, silence: time.Millisecond}
	}
	for name, use := range map[string]func(net.Conn, []byte) (int, error){"read": net.Conn.Read, "write": net.Conn.Write} {
		c := pair()
		_, err := use(c, make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || Unavailable(err) == nil {
			t.Errorf("%s: got %v", name, err)
		}
	}

	c := pair()
	if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Errorf("the deadline of pgx was replaced: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := c.SetDeadline(time.Now()); err != nil { // as pgx interrupts a read
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("interrupted: got %v", err)
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after pgx removed its deadline: got %v", err)
	}
}
