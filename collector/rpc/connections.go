package rpc

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Connections limits the connections of agents.
type Connections struct {
	All             int // at most, with a certificate or without
	Unauthenticated int // at most without a certificate, those in their handshake included
	PerAddress      int // at most without a certificate from one address
}

// DefaultConnections divides the connections that agents may have.
func DefaultConnections(all int) Connections {
	return Connections{All: all, Unauthenticated: max(all/2, 1), PerAddress: max(all/4, 1)}
}

// perKey is the most connections with one certificate's key. Copies of a machine share a key until
// they get their own.
const perKey = 64

// silentAfter is the age from which a connection that has sent nothing makes room for another one.
const silentAfter = time.Second

// limitedListener limits the connections that it accepts. A connection that is one too many is
// closed at once, so that its descriptor is free. If another one, from the same address or from
// any, has sent nothing, that one is closed instead: an agent begins its handshake immediately.
type limitedListener struct {
	net.Listener

	limits Connections

	mu      sync.Mutex
	open    int
	waiting *list.List // of *connection: those without a certificate, the oldest first
	from    map[netip.Addr]int
	keys    map[[32]byte]int
}

func limitConnections(listener net.Listener, limits Connections) *limitedListener {
	return &limitedListener{
		Listener: listener, limits: limits, waiting: list.New(),
		from: map[netip.Addr]int{}, keys: map[[32]byte]int{},
	}
}

// connection is a connection from the limited listener.
type connection struct {
	net.Conn

	listener *limitedListener
	addr     netip.Addr
	came     time.Time

	early []byte // read before the handshake; used by its goroutine only

	// protected by listener.mu
	waits   *list.Element // in listener.waiting; nil: it has a certificate, or is closed
	greeted bool          // the beginning of a handshake has arrived
	key     [32]byte      // of its certificate
	closed  bool
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: accepted, listener: l, addr: addressOf(accepted.RemoteAddr()), came: time.Now()}
		admitted, instead := l.admit(c)
		if instead != nil {
			_ = instead.Conn.Close()
		}
		if admitted {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// admit counts a new connection if there is room for it. It may return another one that must be
// closed for that.
func (l *limitedListener) admit(c *connection) (admitted bool, instead *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.from[c.addr] >= l.limits.PerAddress:
		instead = l.silent(c.came, func(other *connection) bool { return other.addr == c.addr })
	case l.waiting.Len() >= l.limits.Unauthenticated, l.open >= l.limits.All:
		instead = l.silent(c.came, func(*connection) bool { return true })
	default:
		l.enter(c)
		return true, nil
	}
	if instead == nil {
		return false, nil
	}
	l.remove(instead)
	l.enter(c)
	return true, instead
}

func (l *limitedListener) enter(c *connection) {
	l.open++
	l.from[c.addr]++
	c.waits = l.waiting.PushBack(c)
}

// silent returns the oldest connection that has sent nothing for silentAfter.
func (l *limitedListener) silent(now time.Time, matches func(*connection) bool) *connection {
	for e := l.waiting.Front(); e != nil; e = e.Next() {
		c, _ := e.Value.(*connection)
		if now.Sub(c.came) < silentAfter {
			return nil
		}
		if !c.greeted && matches(c) {
			return c
		}
	}
	return nil
}

// identify moves a connection to those with a certificate. It returns false if the key has too
// many.
func (l *limitedListener) identify(c *connection, key [32]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.closed || l.keys[key] >= perKey {
		return false
	}
	l.forget(c)
	c.key = key
	l.keys[key]++
	return true
}

// forget removes a connection from those without a certificate.
func (l *limitedListener) forget(c *connection) {
	if c.waits == nil {
		return
	}
	l.waiting.Remove(c.waits)
	c.waits = nil
	if l.from[c.addr]--; l.from[c.addr] == 0 {
		delete(l.from, c.addr)
	}
}

// remove removes a connection that is closed.
func (l *limitedListener) remove(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	l.open--
	if c.waits != nil {
		l.forget(c)
	} else if l.keys[c.key]--; l.keys[c.key] == 0 {
		delete(l.keys, c.key)
	}
}

func (c *connection) greets() {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.greeted = true
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.listener.mu.Lock()
	c.listener.remove(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// Read implements net.Conn.
func (c *connection) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

func addressOf(addr net.Addr) netip.Addr {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
