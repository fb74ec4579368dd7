package rpc

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/credentials"
)

// dials is a listener whose connections a test makes, from any address.
type dials struct{ queue chan net.Conn }

func (d *dials) Accept() (net.Conn, error) {
	connection, ok := <-d.queue
	if !ok {
		return nil, net.ErrClosed
	}
	return connection, nil
}
func (*dials) Close() error   { return nil }
func (*dials) Addr() net.Addr { return &net.TCPAddr{} }

// from is the server's end of a connection from an address.
type from struct {
	net.Conn

	addr netip.Addr
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(f.addr, 1))
}

// fixture is a listener whose connections begin their handshakes.
type fixture struct {
	*limitedListener

	dials     *dials
	admission *admission
	began     atomic.Int64 // handshakes
}

// newFixture returns an fixture. In the handshakes, the server waits for let.
func newFixture(t *testing.T, limits Connections, let chan struct{}) *fixture {
	t.Helper()
	d := &dials{queue: make(chan net.Conn)}
	e := &fixture{limitedListener: limitConnections(d, limits), dials: d}
	e.admission = newAdmission(waiting{e: e, let: let})
	go func() {
		for {
			connection, err := e.Accept()
			if err != nil {
				return
			}
			go func() {
				if _, _, err := e.admission.ServerHandshake(connection); err != nil {
					_ = connection.Close()
				}
			}()
		}
	}()
	return e
}

// waiting are credentials whose handshake reads what was sent and then waits.
type waiting struct {
	credentials.TransportCredentials

	e   *fixture
	let chan struct{}
}

func (w waiting) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	w.e.began.Add(1)
	first := make([]byte, len(greeting))
	if _, err := raw.Read(first); err != nil || string(first) != greeting {
		return nil, nil, errors.New("the greeting is not what was sent")
	}
	<-w.let
	return raw, credentials.TLSInfo{State: tls.ConnectionState{}}, nil
}

const greeting = "\x16\x03\x01\x00\x03abc"

// dial connects from an address and may begin a handshake. gone reports whether the server closed
// the connection.
func (e *fixture) dial(addr string, speak bool) (gone func() bool) {
	client, server := net.Pipe()
	e.dials.queue <- from{server, netip.MustParseAddr(addr)}
	var closed atomic.Bool
	go func() {
		if speak {
			_, _ = client.Write([]byte(greeting))
		}
		_, _ = client.Read(make([]byte, 1))
		closed.Store(true)
	}()
	synctest.Wait()
	return closed.Load
}

// TestSilentConnectionsMakeRoom: an address has all connections that it may have without a
// certificate, and sends nothing. Agents at this address and at others are accepted, and the silent
// connections end by themselves.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		e := newFixture(t, Connections{All: 20, Unauthenticated: 10, PerAddress: 4}, let)
		silent := make([]func() bool, 4)
		for i := range silent {
			silent[i] = e.dial("192.0.2.1", false)
		}
		if !e.dial("192.0.2.1", true)() {
			t.Error("a connection beyond the limit of the address was accepted")
		}
		if e.dial("192.0.2.2", true)() {
			t.Error("another address was refused")
		}
		<-time.After(silentAfter)
		agents := []func() bool{e.dial("192.0.2.1", true), e.dial("192.0.2.1", true)}
		if agents[0]() || agents[1]() || !silent[0]() || !silent[1]() || silent[2]() || silent[3]() {
			t.Error("two agents should have been accepted instead of the two oldest silent connections")
		}
		<-time.After(greetingTimeout)
		synctest.Wait()
		if !silent[2]() || !silent[3]() || agents[0]() || agents[1]() {
			t.Error("want the silent connections to be closed, and no others")
		}
		close(let)
		synctest.Wait()
		<-time.After(unauthenticatedTime)
		synctest.Wait()
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.open != 0 || e.waiting.Len() != 0 || len(e.from) != 0 || len(e.keys) != 0 {
			t.Errorf("all are closed, and %d are counted, %d of them without a certificate", e.open, e.waiting.Len())
		}
		close(e.dials.queue)
	})
}

// TestAllConnectionsAreLimited: beyond the limit of all addresses together, a connection is closed
// at once if none of the others is silent.
func TestAllConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		e := newFixture(t, Connections{All: 3, Unauthenticated: 3, PerAddress: 2}, let)
		first, second := e.dial("192.0.2.1", true), e.dial("192.0.2.2", true)
		third := e.dial("192.0.2.3", false)
		if !e.dial("192.0.2.4", true)() {
			t.Error("the fourth connection was accepted")
		}
		<-time.After(silentAfter)
		if e.dial("192.0.2.4", true)() || !third() || first() || second() {
			t.Error("want the fourth to be accepted instead of the silent one")
		}
		close(let)
		<-time.After(time.Hour)
		close(e.dials.queue)
	})
}

// TestHandshakesTakeTurns: of two thousand connections from one address and one from another, some
// are in their handshake at a time, and all are served.
func TestHandshakesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 2000
		let := make(chan struct{})
		e := newFixture(t, Connections{All: 3000, Unauthenticated: 3000, PerAddress: 2500}, let)
		for range many {
			e.dial("192.0.2.1", true)
		}
		<-time.After(time.Second)
		if got := e.began.Load(); got != maxHandshakesPerAddr {
			t.Errorf("%d handshakes at once, want %d", got, maxHandshakesPerAddr)
		}
		e.dial("192.0.2.2", true)
		<-time.After(time.Second)
		if got := e.began.Load(); got != maxHandshakesPerAddr+1 {
			t.Error("another address waits")
		}
		close(let)
		<-time.After(time.Second)
		if got := e.began.Load(); got != many+1 {
			t.Errorf("%d connections were served, want all %d", got, many+1)
		}
		e.admission.mu.Lock()
		remembered := len(e.admission.by)
		e.admission.mu.Unlock()
		if remembered != 0 {
			t.Errorf("%d addresses are remembered after their handshakes", remembered)
		}
		<-time.After(time.Hour)
		close(e.dials.queue)
	})
}

// TestClosedConnectionsTakeNoTurn: machines that gave up waiting cost no handshake when their turn
// comes.
func TestClosedConnectionsTakeNoTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		e := newFixture(t, Connections{All: 300, Unauthenticated: 300, PerAddress: 300}, let)
		for range maxHandshakesPerAddr {
			e.dial("192.0.2.1", true)
		}
		for range 50 {
			client, server := net.Pipe()
			e.dials.queue <- from{server, netip.MustParseAddr("192.0.2.1")}
			_, _ = client.Write([]byte(greeting))
			_ = client.Close()
		}
		e.dial("192.0.2.1", true)
		<-time.After(time.Second)
		close(let)
		<-time.After(time.Second)
		if got := e.began.Load(); got != maxHandshakesPerAddr+1 {
			t.Errorf("%d handshakes, want those of the %d connections that are open", got, maxHandshakesPerAddr+1)
		}
		<-time.After(time.Hour)
		close(e.dials.queue)
	})
}

// TestNoHandshake: what does not begin like TLS is closed without a turn.
func TestNoHandshake(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{
		"HTTP": "GET / HTTP/1.1\r\n\r\n", "too long": "\x16\x03\x01\xff\xff", "empty": "\x16\x03\x01\x00\x00",
		"another record": "\x17\x03\x01\x00\x03abc",
	} {
		client, server := net.Pipe()
		v := &connection{Conn: server, listener: limitConnections(&dials{}, DefaultConnections(4))}
		go func() { _, _ = client.Write([]byte(bytes)) }()
		if err := v.readGreeting(); err == nil {
			t.Errorf("%s: no error", name)
		}
		_ = client.Close()
		_ = server.Close()
	}
}
