package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// direction is the direction of bytes through a proxy.
type direction int

const (
	up   direction = iota // from the agent to the collector
	down                  // from the collector to the agent
)

// proxy is a TCP proxy between agents and a collector that delays and cuts connections. It does not
// interpret the bytes.
type proxy struct {
	address string

	mu      sync.Mutex
	target  string // host:port; empty: none
	tunnels map[*tunnel]bool
	arrived []time.Time // connections
	count   [2]int      // bytes in each direction since arm
	fuse    *fuse
	held    [2]chan struct{} // not nil: bytes in this direction wait
}

// fuse runs a function after a number of bytes in a direction, and then cuts the connection, unless
// it is gentle.
type fuse struct {
	direction direction
	bytes     int
	gentle    bool
	burn      func()
}

// tunnel is one connection through the proxy.
type tunnel struct {
	near, far net.Conn
	cut       func()
	gone      chan struct{}
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: listener.Addr().String(), target: target, tunnels: map[*tunnel]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		serving.Wait()
	})
	return p
}

// serve forwards one connection until one of its ends is closed.
func (p *proxy) serve(near net.Conn) {
	defer func() { _ = near.Close() }()
	p.mu.Lock()
	p.arrived = append(p.arrived, time.Now())
	target, dialer := p.target, net.Dialer{}
	p.mu.Unlock()
	if target == "" {
		return
	}
	far, err := dialer.Dial("tcp", target)
	if err != nil {
		return
	}
	tunnel := &tunnel{near: near, far: far, gone: make(chan struct{})}
	tunnel.cut = sync.OnceFunc(func() {
		close(tunnel.gone)
		_, _ = near.Close(), far.Close()
	})
	p.mu.Lock()
	p.tunnels[tunnel] = true
	p.mu.Unlock()
	var pumps sync.WaitGroup
	pumps.Go(func() { p.pump(tunnel, up, near, far) })
	pumps.Go(func() { p.pump(tunnel, down, far, near) })
	pumps.Wait()
	p.mu.Lock()
	delete(p.tunnels, tunnel)
	p.mu.Unlock()
}

func (p *proxy) pump(tunnel *tunnel, where direction, from io.Reader, to io.Writer) {
	defer tunnel.cut()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if !p.wait(tunnel, where) {
			return
		}
		n, burnt := p.weigh(where, n)
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
		if burnt != nil {
			burnt.burn()
			if !burnt.gentle {
				return
			}
		}
	}
}

// weigh counts bytes to be forwarded. It returns how many of them may pass, and the fuse if they
// trigger it.
func (p *proxy) weigh(where direction, n int) (int, *fuse) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fuse
	if f == nil || f.direction != where || p.count[where]+n < f.bytes {
		p.count[where] += n
		return n, nil
	}
	p.fuse = nil
	if !f.gentle {
		n = f.bytes - p.count[where]
	}
	p.count[where] += n
	return n, f
}

// wait returns true when the direction is not held, or false when the tunnel is cut.
func (p *proxy) wait(tunnel *tunnel, where direction) bool {
	p.mu.Lock()
	held := p.held[where]
	p.mu.Unlock()
	if held == nil {
		return true
	}
	select {
	case <-held:
		return true
	case <-tunnel.gone:
		return false
	}
}

// aim sets the target of new connections.
func (p *proxy) aim(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// arm resets the counters, sets a fuse or none, and returns the previous counters.
func (p *proxy) arm(f *fuse) (before [2]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.count, p.fuse = p.count, [2]int{}, f
	return before
}

// hold blocks a direction until release. A connection that is cut first never passes the bytes.
func (p *proxy) hold(where direction) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.held[where] = held
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.held[where] = nil
		close(held)
	}
}

// cut cuts all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for tunnel := range p.tunnels {
		tunnel.cut()
	}
}

// attempts returns the times of connections.
func (p *proxy) attempts() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.arrived...)
}
