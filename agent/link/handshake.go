package link

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
)

// confirmed is TLS whose handshake completes when the first byte from the collector arrives. In TLS
// 1.3 a client completes its handshake before the server has checked its certificate (RFC 8446 §2).
// A write after that would meet a closed connection and hide the alert that has the reason.
type confirmed struct {
	credentials.TransportCredentials
}

// ClientHandshake implements credentials.TransportCredentials. A gRPC server sends first: its
// SETTINGS do not depend on the client (RFC 9113 §3.4).
func (c confirmed) ClientHandshake(
	ctx context.Context, authority string, raw net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	connection, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	first := make([]byte, 1)
	stop := context.AfterFunc(ctx, func() { _ = connection.SetReadDeadline(time.Now()) })
	_, err = connection.Read(first)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = connection.Close()
		return nil, nil, err
	}
	return &begun{Conn: connection, first: first}, info, nil
}

// Clone implements credentials.TransportCredentials.
func (c confirmed) Clone() credentials.TransportCredentials {
	return confirmed{c.TransportCredentials.Clone()}
}

// begun is a connection of which the first byte is already read.
type begun struct {
	net.Conn

	first []byte
}

// Read implements net.Conn.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}
