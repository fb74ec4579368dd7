package rpc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/credentials"

	"github.com/musterhq/muster/internal/pki"
)

// Time limits of a new connection. A handshake waits for its turn before its own limit begins, so
// that machines that start at once are all served.
const (
	greetingTimeout = 10 * time.Second // for the first message of the handshake
	turnTimeout     = time.Minute
	handshakeTime   = 10 * time.Second
	prefaceTimeout  = 10 * time.Second // for the first message of HTTP/2
	// connectionTimeout is the sum of the above, as gRPC has only one limit.
	connectionTimeout = greetingTimeout + turnTimeout + handshakeTime + prefaceTimeout
	// unauthenticatedTime is how long a connection without a certificate may last.
	unauthenticatedTime = time.Minute
)

// Handshakes at the same time: they take turns, and an address has a quarter of them.
const (
	maxHandshakes        = 256
	maxHandshakesPerAddr = 64
)

// admission is the TLS of the server, with handshakes that take turns.
type admission struct {
	credentials.TransportCredentials

	turns *semaphore.Weighted
	mu    sync.Mutex
	by    map[netip.Addr]*addressTurns
}

// addressTurns are the turns of one address while it has handshakes.
type addressTurns struct {
	*semaphore.Weighted

	users int
}

func newAdmission(tls credentials.TransportCredentials) *admission {
	return &admission{
		TransportCredentials: tls, turns: semaphore.NewWeighted(maxHandshakes), by: map[netip.Addr]*addressTurns{},
	}
}

// Clone implements credentials.TransportCredentials. All connections share the turns.
func (a *admission) Clone() credentials.TransportCredentials { return a }

// ServerHandshake implements credentials.TransportCredentials. gRPC calls it in a goroutine for
// each connection.
func (a *admission) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, ok := raw.(*connection)
	if !ok {
		return nil, nil, fmt.Errorf("a connection of type %T did not come from the limited listener", raw)
	}
	if err := c.readGreeting(); err != nil {
		return nil, nil, err
	}
	done, err := a.turn(c.addr)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if err := c.checkOpen(); err != nil {
		return nil, nil, err
	}
	if err := c.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return nil, nil, err
	}
	secured, info, err := a.TransportCredentials.ServerHandshake(c)
	if err != nil {
		return nil, nil, err
	}
	if err := c.settle(info); err != nil {
		_ = secured.Close()
		return nil, nil, err
	}
	return secured, info, nil
}

// settle limits a connection according to its certificate.
func (c *connection) settle(info credentials.AuthInfo) error {
	tls, ok := info.(credentials.TLSInfo)
	switch {
	case !ok:
		return fmt.Errorf("a connection has %T instead of TLS", info)
	case len(tls.State.VerifiedChains) == 0:
		time.AfterFunc(unauthenticatedTime, func() { _ = c.Close() })
	default:
		key, err := pki.KeyOf(tls.State.VerifiedChains[0][0])
		if err != nil {
			return err
		}
		if !c.listener.identify(c, pki.KeyID(key)) {
			return errors.New("too many connections with one certificate")
		}
	}
	return c.SetDeadline(time.Now().Add(prefaceTimeout)) // gRPC removes it
}

// turn waits until a handshake from an address may begin.
func (a *admission) turn(addr netip.Addr) (done func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), turnTimeout)
	defer cancel()
	own := a.enter(addr)
	if err := own.Acquire(ctx, 1); err != nil {
		a.leave(addr, own)
		return nil, errors.New("too many handshakes from this address")
	}
	if err := a.turns.Acquire(ctx, 1); err != nil {
		own.Release(1)
		a.leave(addr, own)
		return nil, errors.New("too many handshakes")
	}
	return func() {
		a.turns.Release(1)
		own.Release(1)
		a.leave(addr, own)
	}, nil
}

func (a *admission) enter(addr netip.Addr) *addressTurns {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.by[addr]
	if own == nil {
		own = &addressTurns{Weighted: semaphore.NewWeighted(maxHandshakesPerAddr)}
		a.by[addr] = own
	}
	own.users++
	return own
}

func (a *admission) leave(addr netip.Addr, own *addressTurns) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(a.by, addr)
	}
}

// The header of a TLS record (RFC 8446 §5.1): type, version, length.
const (
	recordHeader    = 5
	recordHandshake = 22
	maxRecord       = 1 << 14
)

// readGreeting reads the record with the ClientHello and keeps it for the handshake, so that a
// connection that sends nothing takes no turn.
func (c *connection) readGreeting() error {
	if err := c.SetDeadline(time.Now().Add(greetingTimeout)); err != nil {
		return err
	}
	header := make([]byte, recordHeader)
	if _, err := io.ReadFull(c.Conn, header); err != nil {
		return fmt.Errorf("read the beginning of the handshake: %w", err)
	}
	length := int(binary.BigEndian.Uint16(header[3:]))
	if header[0] != recordHandshake || length == 0 || length > maxRecord {
		return errors.New("the connection does not begin with a TLS handshake")
	}
	greeting := make([]byte, recordHeader+length)
	copy(greeting, header)
	if _, err := io.ReadFull(c.Conn, greeting[recordHeader:]); err != nil {
		return fmt.Errorf("read the beginning of the handshake: %w", err)
	}
	c.early = greeting
	c.greets()
	return c.SetDeadline(time.Time{})
}

// openTime is how long a check waits for the end of a connection that has ended already.
const openTime = time.Millisecond

// checkOpen returns an error if the other side has closed the connection. A machine that waited too
// long for its turn has done so, and connects again: a handshake with its former connection would
// cost the time of one that waits.
func (c *connection) checkOpen() error {
	if err := c.SetReadDeadline(time.Now().Add(openTime)); err != nil {
		return err
	}
	next := make([]byte, 1)
	n, err := c.Conn.Read(next)
	c.early = append(c.early, next[:n]...)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("closed while it waited for its handshake: %w", err)
	}
	return nil
}
