package db

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// watchedConn is a connection to the server. A server that hangs, e.g. because a signal stopped it,
// neither answers nor closes its connections; a read or a write that takes longer than silence
// fails, and pgx then drops the connection. Errors are of the type connError.
type watchedConn struct {
	net.Conn

	silence time.Duration

	mu  sync.Mutex
	own bool // pgx set a deadline, protected by mu
}

// connError is a failure of the connection to the database, not an error that the database
// returned.
type connError struct{ err error }

func (e *connError) Error() string { return e.err.Error() }

func (e *connError) Unwrap() error { return e.err }

// Timeout implements net.Error, by which pgx recognizes its own deadlines.
func (e *connError) Timeout() bool {
	var inner net.Error
	return errors.As(e.err, &inner) && inner.Timeout()
}

// Temporary implements net.Error.
func (e *connError) Temporary() bool { return false }

// watched makes the connections of dial watchedConns.
func watched(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, silence: silenceTimeout}, nil
	}
}

// Read implements net.Conn.
func (c *watchedConn) Read(b []byte) (int, error) {
	c.limit(c.Conn.SetReadDeadline)
	n, err := c.Conn.Read(b)
	return n, lost(err)
}

// Write implements net.Conn.
func (c *watchedConn) Write(b []byte) (int, error) {
	c.limit(c.Conn.SetWriteDeadline)
	n, err := c.Conn.Write(b)
	return n, lost(err)
}

func lost(err error) error {
	if err == nil {
		return nil
	}
	return &connError{err}
}

// limit sets the deadline of a read or write, unless pgx set one.
func (c *watchedConn) limit(set func(time.Time) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.own {
		_ = set(time.Now().Add(c.silence)) // fails only if the connection is closed
	}
}

// SetDeadline implements net.Conn. It holds the lock, so that limit does not replace the deadline
// by which pgx interrupts a read.
func (c *watchedConn) SetDeadline(at time.Time) error {
	return c.setOwn(at, c.Conn.SetDeadline)
}

// SetReadDeadline implements net.Conn.
func (c *watchedConn) SetReadDeadline(at time.Time) error {
	return c.setOwn(at, c.Conn.SetReadDeadline)
}

// SetWriteDeadline implements net.Conn.
func (c *watchedConn) SetWriteDeadline(at time.Time) error {
	return c.setOwn(at, c.Conn.SetWriteDeadline)
}

func (c *watchedConn) setOwn(at time.Time, set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own = !at.IsZero()
	return set(at)
}
