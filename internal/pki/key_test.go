package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/musterhq/muster/internal/pki"
)

func TestParseCSRTakesTheKeyAndNothingElse(t *testing.T) {
	t.Parallel()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	boastful, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "admin"}, DNSNames: []string{pki.ServerName},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range [][]byte{plain, boastful} {
		got, err := pki.ParseCSR(der)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(&key.PublicKey) {
			t.Error("got another key")
		}
	}
}

func TestParseCSRRefuses(t *testing.T) {
	t.Parallel()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte(nil), der...)
	forged[len(forged)-1] ^= 1
	cases := map[string][]byte{
		"nothing":            nil,
		"no request":         []byte("-----BEGIN"),
		"a wrong signature":  forged,
		"something after it": append(append([]byte(nil), der...), 0),
		"P-384":              requestOf(t, must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))),
		"RSA":                requestOf(t, must(rsa.GenerateKey(rand.Reader, 2048))),
		"Ed25519":            requestOf(t, must(second(ed25519.GenerateKey(rand.Reader)))),
	}
	for name, der := range cases {
		if _, err := pki.ParseCSR(der); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParseCSR(f *testing.F) {
	der, err := pki.NewCSR(must(pki.NewKey()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := pki.ParseCSR(der)
		if err == nil && pki.KeyID(key) == [32]byte{} { // KeyID panics on a key that must not pass
			t.Error("no key and no error")
		}
	})
}

func requestOf(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func second[A, B any](_ A, b B, err error) (B, error) { return b, err }
