package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newAuthority(t *testing.T) *pki.Authority {
	t.Helper()
	authority, err := pki.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func TestSealedAuthorityOpensWithItsMasterKeyOnly(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	sealed, err := authority.Seal([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := pki.OpenAuthority(authority.Certificate(), sealed, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if opened.Pin() != authority.Pin() {
		t.Errorf("pin: got %s, want %s", opened.Pin(), authority.Pin())
	}
	if err := opened.CheckNonce(authority.Nonce(now), now); err != nil {
		t.Errorf("nonce of the same authority on another collector: %v", err)
	}

	other := newAuthority(t)
	damaged := append([]byte(nil), sealed...)
	damaged[len(damaged)/2] ^= 1
	cases := map[string]struct {
		certificate, sealed []byte
		key                 [32]byte
	}{
		"wrong master key":    {authority.Certificate(), sealed, [32]byte{2}},
		"another certificate": {other.Certificate(), sealed, [32]byte{1}},
		"damaged":             {authority.Certificate(), damaged, [32]byte{1}},
		"empty":               {authority.Certificate(), nil, [32]byte{1}},
	}
	for name, c := range cases {
		if _, err := pki.OpenAuthority(c.certificate, c.sealed, c.key); err == nil || !strings.Contains(err.Error(), "master key") {
			t.Errorf("%s: got error %v, want one about the master key", name, err)
		}
	}
}

func TestAgentCertificateIsForItsKeyAndForClients(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := authority.IssueAgent(&key.PublicKey, "agent-1", now, 7*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pki.KeyOf(certificate)
	if err != nil {
		t.Fatal(err)
	}
	if pki.KeyID(got) != pki.KeyID(&key.PublicKey) {
		t.Error("the certificate is for another key")
	}
	pool, err := pki.Pool(authority.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	verify := func(at time.Time, usage x509.ExtKeyUsage) error {
		_, err := certificate.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
		return err
	}
	if err := verify(now, x509.ExtKeyUsageClientAuth); err != nil {
		t.Errorf("as a client: %v", err)
	}
	if err := verify(now, x509.ExtKeyUsageServerAuth); err == nil {
		t.Error("it passes for a server")
	}
	if err := verify(now.Add(8*24*time.Hour), x509.ExtKeyUsageClientAuth); err == nil {
		t.Error("it does not expire")
	}
	if certificate.IsCA {
		t.Error("it passes for an authority")
	}
}

func TestCertificateDoesNotOutliveItsAuthority(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	server, err := authority.IssueServer(nil, nil, now, 100*365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(authority.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := server.Leaf.NotAfter, ca.NotAfter; !got.Equal(want) {
		t.Errorf("not after: got %v, want %v", got, want)
	}
}

func issueServer(t *testing.T, authority *pki.Authority, at time.Time, lifetime time.Duration) tls.Certificate {
	t.Helper()
	certificate, err := authority.IssueServer(nil, nil, at, lifetime)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
