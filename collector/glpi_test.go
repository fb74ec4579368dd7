package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestGLPIPasswords(t *testing.T) {
	t.Parallel()
	flags := serveFlags{DataDir: t.TempDir()}
	made, err := glpiPasswords(flags)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(flags.DataDir, "glpi.token")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256([]byte(strings.TrimSpace(string(text)))); len(made) != 1 || made[0] != want {
		t.Errorf("made %x, and wrote %q", made, text)
	}
	if again, err := glpiPasswords(flags); err != nil || !cmp.Equal(made, again) {
		t.Errorf("at the next start: %x, %v, want %x", again, err, made)
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string // of the error; "": as many passwords as lines
	}{
		"two":                {"first-password-of-ours\r\n\nsecond-password-of-ours\n", 0o600, ""},
		"too short":          {"first-password-of-ours\nglpi\n", 0o600, "line 2: the password has fewer than 16"},
		"none":               {"\n", 0o600, "has no password"},
		"readable by others": {"first-password-of-ours\n", 0o644, "chmod 600"},
	} {
		flags := serveFlags{GLPI: glpiFlags{TokenFile: filepath.Join(t.TempDir(), "passwords")}}
		if err := os.WriteFile(flags.GLPI.TokenFile, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		got, err := glpiPasswords(flags)
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			}
		case err != nil || len(got) != 2 || got[1] != sha256.Sum256([]byte("second-password-of-ours")):
			t.Errorf("%s: got %x, %v", name, got, err)
		}
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
