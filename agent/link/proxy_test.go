package link_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/agent/link"
)

// farAway is a name that only the proxy can resolve.
const farAway = "collector.far-away.invalid:8443"

// proxyTo runs an HTTP proxy that knows one name, and counts the tunnels through it.
func proxyTo(t *testing.T, collector string) (address string, tunnels *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	tunnels = &atomic.Int32{}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = near.Close() }()
				if tunnel(near, collector) {
					tunnels.Add(1)
				}
			}()
		}
	}()
	return listener.Addr().String(), tunnels
}

// tunnel serves one CONNECT (RFC 9110 §9.3.6).
func tunnel(near net.Conn, collector string) bool {
	reader := bufio.NewReader(near)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect || request.Host != farAway {
		_, _ = io.WriteString(near, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return false
	}
	far, err := net.Dial("tcp", collector)
	if err != nil {
		return false
	}
	defer func() { _ = far.Close() }()
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(far, reader) }()
	_, _ = io.Copy(near, far)
	return true
}

// TestProxyIsHonored enrolls and syncs in another process, because Go reads the proxy variables
// once.
func TestProxyIsHonored(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	proxy, tunnels := proxyTo(t, c.address)
	enrollment, err := json.Marshal(link.Enrollment{Collector: farAway, Token: goodToken, Pin: c.authority.Pin()})
	if err != nil {
		t.Fatal(err)
	}
	helper := exec.Command(os.Args[0], "-test.run=^TestHelperBehindProxy$")
	helper.Env = append(os.Environ(), "HTTPS_PROXY=http://"+proxy, "NO_PROXY=", "ENROLLMENT="+string(enrollment))
	if out, err := helper.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(c.received) != 1 || tunnels.Load() == 0 {
		t.Errorf("got %d check-ins through %d tunnels", len(c.received), tunnels.Load())
	}
}

// TestHelperBehindProxy is the other process of TestProxyIsHonored.
func TestHelperBehindProxy(t *testing.T) {
	var enrollment link.Enrollment
	if json.Unmarshal([]byte(os.Getenv("ENROLLMENT")), &enrollment) != nil {
		t.Skip("only as a child of TestProxyIsHonored")
	}
	m := newMachine("bash")
	identity, err := link.Enroll(t.Context(), enrollment, m.now)
	if err != nil {
		t.Fatal(link.Explain(err))
	}
	a := resume(t, t.TempDir()+"/state", m)
	if err := a.State.SetIdentity(identity); err != nil {
		t.Fatal(err)
	}
	mustSync(t, a)
}
