package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listeners are the open sockets of a collector.
type listeners struct {
	http, grpc    net.Listener
	metrics, glpi net.Listener // nil: disabled

	agents int // the most connections of grpc, which limits them itself
}

// listen opens all sockets before anything is started, so that an address in use fails fast.
func listen(ctx context.Context, flags serveFlags) (_ *listeners, err error) {
	l := &listeners{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.http, err = listenOn(ctx, flags.HTTPAddr, "the REST API", "--http-addr"); err != nil {
		return nil, err
	}
	if err = flags.REST.permit(l.http.Addr()); err != nil {
		return nil, err
	}
	if l.grpc, err = listenOn(ctx, flags.GRPCAddr, "agents", "--grpc-addr"); err != nil {
		return nil, err
	}
	if flags.MetricsAddr != "" {
		if l.metrics, err = listenOn(ctx, flags.MetricsAddr, "metrics", "--metrics-addr"); err != nil {
			return nil, err
		}
	}
	if flags.GLPI.Addr != "" {
		if l.glpi, err = listenOn(ctx, flags.GLPI.Addr, "other tools' agents", "--glpi-addr"); err != nil {
			return nil, err
		}
	}
	d := divide(openFilesLimit())
	l.agents, l.http = d.agents, limit(l.http, d.api)
	l.metrics, l.glpi = limit(l.metrics, d.metrics), limit(l.glpi, d.glpi)
	return l, nil
}

func listenOn(ctx context.Context, address, what, flag string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("cannot listen for %s: another program uses %s; choose another address with %s",
			what, address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen for %s on %s (%s): %w", what, address, flag, err)
	}
	return listener, nil
}

func (l *listeners) close() {
	if l == nil {
		return
	}
	for _, listener := range []net.Listener{l.http, l.grpc, l.metrics, l.glpi} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

// hostsOf returns the name or the IP address of a host:port, for the server's certificate.
func hostsOf(address string) (names []string, addresses []net.IP) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return nil, nil
	}
	if ip := net.ParseIP(host); ip != nil {
		return nil, []net.IP{ip}
	}
	return []string{host}, nil
}
