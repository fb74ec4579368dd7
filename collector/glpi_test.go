package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/collector/glpi"
	"github.com/musterhq/muster/internal/pki"
)

func TestGLPIHosts(t *testing.T) {
	t.Parallel()
	anywhere, loopback := &net.TCPAddr{IP: net.IPv6unspecified}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	for name, c := range map[string]struct {
		agents, flag string
		listening    net.Addr
		names        []string
		addresses    []net.IP
		refused      bool
	}{
		"a name":                     {"collector.example:8443", "0.0.0.0:8444", anywhere, []string{"collector.example"}, nil, false},
		"another name":               {"127.0.0.1:8443", "reports.example:8444", anywhere, []string{"reports.example"}, []net.IP{net.ParseIP("127.0.0.1")}, false},
		"an address":                 {"192.0.2.1:8443", ":8444", anywhere, nil, []net.IP{net.ParseIP("192.0.2.1")}, false},
		"this machine":               {"127.0.0.1:8443", "127.0.0.1:8444", loopback, nil, []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP("127.0.0.1")}, false},
		"nobody knows by which name": {"127.0.0.1:8443", "0.0.0.0:8444", anywhere, nil, nil, true},
		"nor here":                   {"[::]:8443", ":8444", anywhere, nil, nil, true},
	} {
		names, addresses, err := glpiHosts(c.agents, c.flag, c.listening)
		if c.refused {
			if err == nil || !strings.Contains(err.Error(), "--agent-addr") {
				t.Errorf("%s: got %v %v, %v, want what to do", name, names, addresses, err)
			}
			continue
		}
		if err != nil || !cmp.Equal(c.names, names) || !cmp.Equal(c.addresses, addresses) {
			t.Errorf("%s: got %v %v, %v, want %v %v", name, names, addresses, err, c.names, c.addresses)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	flags, logger := serveFlags{DataDir: t.TempDir()}, slog.New(slog.DiscardHandler)
	made, err := openCredentials(flags, logger)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(flags.DataDir, "glpi.token")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []glpi.Credential{{Password: sha256.Sum256([]byte(strings.TrimSpace(string(text))))}}
	if !cmp.Equal(want, made.current()) {
		t.Errorf("made %x, and wrote %q", made.current(), text)
	}
	if again, err := openCredentials(flags, logger); err != nil || !cmp.Equal(want, again.current()) {
		t.Errorf("at the next start: %v, %v, want the same", again, err)
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string // of the error; "": two credentials
	}{
		"two":                {"first-password-of-ours\r\n\nsecond-password-of-ours\n", 0o600, ""},
		"with names":         {"berlin first-password-of-ours\n  paris\tsecond-password-of-ours  \n", 0o600, ""},
		"too short":          {"first-password-of-ours\nglpi\n", 0o600, "line 2: the password has fewer than 16"},
		"too many words":     {"the first password-of-ours-01\n", 0o600, "line 1: write PASSWORD or NAME PASSWORD"},
		"none":               {"\n", 0o600, "has no password"},
		"readable by others": {"first-password-of-ours\n", 0o644, "chmod 600"},
	} {
		flags := serveFlags{GLPI: glpiFlags{TokenFile: filepath.Join(t.TempDir(), "passwords")}}
		if err := os.WriteFile(flags.GLPI.TokenFile, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		got, err := openCredentials(flags, logger)
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			}
		case err != nil || len(got.current()) != 2 ||
			got.current()[1].Password != sha256.Sum256([]byte("second-password-of-ours")):
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// TestCredentialsChange: a removed line revokes its password without a restart, and so does the
// removal of all lines. A file with a mistake changes nothing.
func TestCredentialsChange(t *testing.T) {
	t.Parallel()
	flags := serveFlags{GLPI: glpiFlags{TokenFile: filepath.Join(t.TempDir(), "passwords")}}
	at := time.Now()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(flags.GLPI.TokenFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second) // some file systems have times of seconds
		if err := os.Chtimes(flags.GLPI.TokenFile, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("berlin first-password-of-ours\nparis second-password-of-ours\n")
	c, err := openCredentials(flags, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ text, want string }{
		{"berlin first-password-of-ours\nparis second-password-of-ours\n", "berlin,paris"},
		{"paris second-password-of-ours\n", "paris"},
		{"paris short\n", "paris"},
		{"paris second-password-of-ours\nrome third-password-of-ours\n", "paris,rome"},
		{"", ""},
	} {
		write(step.text)
		var names []string
		for _, one := range c.current() {
			names = append(names, one.Name)
		}
		if got := strings.Join(names, ","); got != step.want {
			t.Errorf("%q: got %s, want %s", step.text, got, step.want)
		}
	}
	if err := os.Remove(flags.GLPI.TokenFile); err != nil {
		t.Fatal(err)
	}
	if got := c.current(); len(got) != 0 {
		t.Errorf("without the file: got %v, want none, as before", got)
	}
}

// TestWriteAuthority: the file is one that agents can trust.
func TestWriteAuthority(t *testing.T) {
	t.Parallel()
	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeAuthority(dir, authority); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	if block == nil || len(rest) > 0 {
		t.Fatalf("got %q, want one certificate", text)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || pki.PinOf(certificate) != authority.Pin() {
		t.Errorf("got another certificate: %v", err)
	}
}
