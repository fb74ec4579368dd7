package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// proxy forwards connections of an agent to the collector and counts the bytes of the TCP payload,
// TLS and HTTP/2 included.
type proxy struct {
	listener net.Listener
	to       string
	copies   sync.WaitGroup
	up, down atomic.Int64 // from and to the agent
}

// newProxy listens for an agent and forwards to an address. The caller closes it.
func newProxy(ctx context.Context, to string) (*proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for agents: %w", err)
	}
	p := &proxy{listener: listener, to: to}
	p.copies.Go(p.serve)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// both returns the bytes of both directions so far.
func (p *proxy) both() int64 { return p.up.Load() + p.down.Load() }

// close stops listening and returns after the agent has closed its last connection.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.copies.Wait()
}

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to) //nolint:noctx // the loopback does not block
		if err != nil {
			_ = near.Close()
			continue
		}
		p.copies.Go(func() { pipe(far, near, &p.up) })
		p.copies.Go(func() { pipe(near, far, &p.down) })
	}
}

// pipe copies until one side closes, and closes the other.
func pipe(to, from net.Conn, count *atomic.Int64) {
	_, _ = io.Copy(counter{to, count}, from)
	_ = to.Close()
	_ = from.Close()
}

type counter struct {
	net.Conn

	count *atomic.Int64
}

// Write counts the bytes written.
func (c counter) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.count.Add(int64(n))
	return n, err
}
