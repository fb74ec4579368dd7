package main

import (
	"io"
	"net"
	"testing"
)

func TestProxyCountsBothWays(t *testing.T) {
	t.Parallel()
	server, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	go func() {
		c, err := server.Accept()
		if err != nil {
			return
		}
		_, _ = io.ReadFull(c, make([]byte, 100))
		_, _ = c.Write(make([]byte, 40))
		_ = c.Close()
	}()
	p, err := newProxy(t.Context(), server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil || len(answer) != 40 {
		t.Errorf("got %d bytes, %v, want 40", len(answer), err)
	}
	_ = c.Close()
	p.close()
	if up, down := p.up.Load(), p.down.Load(); up != 100 || down != 40 || p.both() != 140 {
		t.Errorf("counted %d up and %d down, want 100 and 40", up, down)
	}
}
