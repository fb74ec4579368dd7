package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

// farAway is an address that only the HTTP proxy can reach.
const farAway = "collector.far-away.invalid:8443"

// httpProxy is an HTTP proxy that knows one name, and counts the tunnels through it.
func httpProxy(t testing.TB, collector string) (address string, tunnels *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tunnels = &atomic.Int32{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = near.Close() }()
				tunnelTo(near, collector, tunnels)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String(), tunnels
}

// tunnelTo serves one CONNECT (RFC 9110 §9.3.6).
func tunnelTo(near net.Conn, collector string, tunnels *atomic.Int32) {
	reader := bufio.NewReader(near)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect || request.Host != farAway {
		_, _ = io.WriteString(near, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return
	}
	far, err := net.Dial("tcp", collector)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	tunnels.Add(1)
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(far, reader) }() // ends with near
	_, _ = io.Copy(near, far)
}

// TestHTTPSProxyIsHonored enrolls and syncs the real agent with a collector that only a proxy can
// reach.
func TestHTTPSProxyIsHonored(t *testing.T) {
	t.Parallel()
	c := newCollector(t, pgtest.New(t))
	address, tunnels := httpProxy(t, c.agents)
	ticket, dir := c.ticket(t, nil), filepath.Join(t.TempDir(), "agent")
	env := []string{"HTTPS_PROXY=http://" + address, "https_proxy=", "NO_PROXY=", "no_proxy=", "MUSTER_TOKEN=" + ticket.Token}
	if _, err := program(t, env, "enroll", "--state", dir, "--collector", farAway, "--ca-pin", ticket.CAPin); err != nil {
		t.Fatal(err)
	}
	if _, err := program(t, env, "sync", "--state", dir); err != nil {
		t.Fatal(err)
	}
	if got := tunnels.Load(); got != 2 {
		t.Errorf("got %d tunnels, want 2", got)
	}
	checkDevices(t, c, 1)
	if _, err := program(t, nil, "sync", "--state", dir); err == nil || !strings.Contains(err.Error(), "the collector cannot be reached") {
		t.Errorf("without the proxy: got %v, want it to say that the collector cannot be reached", err)
	}
}
