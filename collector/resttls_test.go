package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

// TestPlainHTTPStaysOnTheLoopback: the collector does not start if API tokens would cross a network
// in plain text and nobody said so.
func TestPlainHTTPStaysOnTheLoopback(t *testing.T) {
	t.Parallel()
	files := restFlags{Cert: "a", Key: "b"}
	for _, c := range []struct {
		address string
		flags   restFlags
		ok      bool
	}{
		{"127.0.0.1:0", restFlags{}, true},
		{"localhost:0", restFlags{}, true},
		{"0.0.0.0:0", restFlags{}, false},
		{":0", restFlags{}, false},
		{"0.0.0.0:0", restFlags{Insecure: true}, true},
		{"0.0.0.0:0", restFlags{TLS: true}, true},
		{"0.0.0.0:0", files, true},
	} {
		flags := serveFlags{HTTPAddr: c.address, GRPCAddr: "127.0.0.1:0", REST: c.flags}
		opened, err := listen(t.Context(), flags)
		opened.close()
		switch {
		case c.ok && err != nil:
			t.Errorf("%s with %+v: %v", c.address, c.flags, err)
		case !c.ok && (err == nil || !strings.Contains(err.Error(), "--http-insecure")):
			t.Errorf("%s with %+v: got %v, want an error that says what to set", c.address, c.flags, err)
		}
	}
	for name, flags := range map[string]restFlags{
		"a certificate alone": {Cert: "a"}, "a key alone": {Key: "b"}, "two certificates": {Cert: "a", Key: "b", TLS: true},
	} {
		if _, err := start(t.Context(), serveFlags{REST: flags}, slog.New(slog.DiscardHandler)); err == nil ||
			!strings.Contains(err.Error(), "--http-") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// serveTLS serves HTTPS with flags and returns its address.
func serveTLS(t *testing.T, authority *pki.Authority, flags restFlags) (c *collector, address string) {
	t.Helper()
	c = &collector{
		flags:  serveFlags{DataDir: t.TempDir(), HTTPAddr: "127.0.0.1:0", REST: flags},
		logger: slog.New(slog.DiscardHandler), grpcAddr: "127.0.0.1:1", failed: make(chan error, 1),
	}
	config, err := c.restTLS(authority)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", c.flags.HTTPAddr)
	if err != nil {
		t.Fatal(err)
	}
	c.serveHTTP(tls.NewListener(listener, config), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "answered")
	}))
	t.Cleanup(func() { _ = c.http[0].Close() })
	return c, listener.Addr().String()
}

// servedBy calls the API with a client that trusts the certificates in a file, and returns the
// serial number of the server's certificate.
func servedBy(t *testing.T, address, trusted string) string {
	t.Helper()
	config, err := trusting(trusted)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	response, err := client.Get("https://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "answered" {
		t.Fatalf("got %q, %v", text, err)
	}
	return response.TLS.PeerCertificates[0].SerialNumber.String()
}

func newTestAuthority(t *testing.T) *pki.Authority {
	t.Helper()
	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// TestRESTWithACertificateOfTheAuthority: a client that trusts ca.pem reaches the API.
func TestRESTWithACertificateOfTheAuthority(t *testing.T) {
	t.Parallel()
	c, address := serveTLS(t, newTestAuthority(t), restFlags{TLS: true})
	servedBy(t, address, filepath.Join(c.flags.DataDir, "ca.pem"))
	old := &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

// TestRESTWithCertificateFiles: files that change are used without a restart, broken ones never.
func TestRESTWithCertificateFiles(t *testing.T) {
	t.Parallel()
	authority := newTestAuthority(t)
	dir := t.TempDir()
	flags := restFlags{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	trusted := filepath.Join(dir, "ca.pem")
	write(t, trusted, "CERTIFICATE", authority.Certificate())
	renew := func(at time.Time) {
		t.Helper()
		certificate, err := authority.IssueServer(nil, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		write(t, flags.Cert, "CERTIFICATE", certificate.Certificate...)
		write(t, flags.Key, "PRIVATE KEY", key)
		if err := os.Chtimes(flags.Cert, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (&collector{flags: serveFlags{REST: flags}}).restTLS(authority); err == nil {
		t.Error("started without the files")
	}
	now := time.Now()
	renew(now)
	first := servedByFiles(t, flags)
	if again := first(now); again != first(now) {
		t.Error("the certificate changed by itself")
	}
	_, address := serveTLS(t, authority, flags)
	before := servedBy(t, address, trusted)
	if before != first(now) {
		t.Errorf("served %s, want that of the file %s", before, first(now))
	}
	renew(now.Add(time.Second))
	if after := first(now.Add(reloadInterval)); after == before {
		t.Error("the new certificate is not used")
	}
	kept := first(now.Add(reloadInterval))
	if err := os.WriteFile(flags.Cert, []byte("not yet written"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := first(now.Add(2 * reloadInterval)); got != kept {
		t.Errorf("a broken file replaced the certificate: got %s, want %s", got, kept)
	}
}

// servedByFiles returns a function that returns the serial number of the certificate at a time.
func servedByFiles(t *testing.T, flags restFlags) func(at time.Time) string {
	t.Helper()
	var clock time.Time
	files := &certificateFiles{
		cert: flags.Cert, key: flags.Key, logger: slog.New(slog.DiscardHandler), now: func() time.Time { return clock },
	}
	if err := files.load(); err != nil {
		t.Fatal(err)
	}
	return func(at time.Time) string {
		t.Helper()
		clock = at
		certificate, err := files.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return certificate.Leaf.SerialNumber.String()
	}
}

func write(t *testing.T, name, kind string, blocks ...[]byte) {
	t.Helper()
	var text []byte
	for _, block := range blocks {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: block})...)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
