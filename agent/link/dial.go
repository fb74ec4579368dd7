package link

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pki"
)

const (
	ioBuffer         = 4 << 10 // bytes; small, because the connection is nearly always idle
	maxAnswer        = 1 << 20 // bytes of one message from the collector
	maxHeaders       = 16 << 10
	keepaliveTime    = 60 * time.Second
	keepaliveTimeout = 20 * time.Second // a lost collector is noticed within 80 s
	callTimeout      = 60 * time.Second
)

// connect returns a connection to a collector at host:port; the first call dials it. It uses
// HTTPS_PROXY and NO_PROXY. A proxy resolves the collector's name.
func connect(collector string, config *tls.Config) (*grpc.ClientConn, error) {
	if err := CheckAddress(collector); err != nil {
		return nil, err
	}
	connection, err := grpc.NewClient("dns:///"+collector,
		grpc.WithTransportCredentials(confirmed{credentials.NewTLS(config)}),
		grpc.WithReadBufferSize(ioBuffer),
		grpc.WithWriteBufferSize(ioBuffer),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.WithDisableServiceConfig(), // else each connection queries DNS for a service config
		grpc.WithDisableRetry(),         // pace.go decides about retries
	)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", collector, err)
	}
	return connection, nil
}

// CheckAddress returns an error unless the collector's address is HOST:PORT.
func CheckAddress(collector string) error {
	name, port, err := net.SplitHostPort(collector)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || name == "" || strings.ContainsAny(name, "/ ") {
		return fmt.Errorf("the collector's address %q is not HOST:PORT", collector)
	}
	return nil
}

// connectAs returns a connection for an enrolled agent. certificate is nil for a renewal.
func connectAs(identity state.Identity, certificate *tls.Certificate, now func() time.Time) (*grpc.ClientConn, error) {
	config, err := pki.ClientTLS(identity.Authorities, certificate, now)
	if err != nil {
		return nil, err
	}
	return connect(identity.Collector, config)
}
