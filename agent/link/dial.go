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
	ioBuffer         = 4 << 10 // bytes; the connection is idle nearly always
	maxAnswer        = 1 << 20 // bytes of one message of the collector
	maxHeaders       = 16 << 10
	keepaliveTime    = 60 * time.Second
	keepaliveTimeout = 20 * time.Second // so a collector that is gone without a word is missed within 80 s
	callTimeout      = 60 * time.Second
)

// connect prepares a connection to a collector, host:port; it is made by the first call. HTTPS_PROXY and NO_PROXY are
// honored; with a proxy it is the proxy that resolves the name.
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
		grpc.WithDisableServiceConfig(), // or every connection asks the DNS for one
		grpc.WithDisableRetry(),         // how often to try is the pace's to say
	)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", collector, err)
	}
	return connection, nil
}

// CheckAddress reports whether a collector's address is HOST:PORT.
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

// connectAs prepares a connection as an agent that has a certificate, or, with none, to renew it.
func connectAs(identity state.Identity, certificate *tls.Certificate, now func() time.Time) (*grpc.ClientConn, error) {
	config, err := pki.ClientTLS(identity.Authorities, certificate, now)
	if err != nil {
		return nil, err
	}
	return connect(identity.Collector, config)
}
