package pki_test

import (
	"crypto/x509"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

func TestNonceIsGoodForItsAuthorityAndItsTime(t *testing.T) {
	t.Parallel()
	authority, other := newAuthority(t), newAuthority(t)
	nonce := authority.Nonce(now)
	bent := append([]byte(nil), nonce...)
	bent[0] ^= 1 // a later expiry
	cases := map[string]struct {
		authority *pki.Authority
		nonce     []byte
		at        time.Time
		want      error
	}{
		"at once":           {authority, nonce, now, nil},
		"just in time":      {authority, nonce, now.Add(pki.NonceLifetime), nil},
		"late":              {authority, nonce, now.Add(pki.NonceLifetime + time.Second), pki.ErrNonce},
		"another authority": {other, nonce, now, pki.ErrNonce},
		"bent":              {authority, bent, now, pki.ErrNonce},
		"cut":               {authority, nonce[:len(nonce)-1], now, pki.ErrNonce},
		"nothing":           {authority, nil, now, pki.ErrNonce},
	}
	for name, c := range cases {
		if got := c.authority.CheckNonce(c.nonce, c.at); !errors.Is(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if string(nonce) == string(authority.Nonce(now)) {
		t.Error("two nonces are equal")
	}
}

func TestRenewIsSignedByItsKey(t *testing.T) {
	t.Parallel()
	key, other := must(pki.NewKey()), must(pki.NewKey())
	nonce := newAuthority(t).Nonce(now)
	public := must(x509.MarshalPKIXPublicKey(&key.PublicKey))
	signature := must(pki.SignRenew(key, nonce))
	got, err := pki.CheckRenew(public, nonce, signature)
	if err != nil || !got.Equal(&key.PublicKey) {
		t.Fatalf("got %v, %v; want the key", got, err)
	}
	if _, err := pki.CheckRenew(public, nonce, must(pki.SignRenew(other, nonce))); !errors.Is(err, pki.ErrSignature) {
		t.Errorf("another key's signature: got %v, want %v", err, pki.ErrSignature)
	}
	if _, err := pki.CheckRenew(public, append(nonce, 0), signature); !errors.Is(err, pki.ErrSignature) {
		t.Errorf("another nonce: got %v, want %v", err, pki.ErrSignature)
	}
	if _, err := pki.CheckRenew(public[1:], nonce, signature); err == nil {
		t.Error("a broken key was accepted")
	}
}

func TestTokensAreLongLowerCaseAndDifferent(t *testing.T) {
	t.Parallel()
	token := pki.NewToken(pki.EnrollPrefix)
	if !regexp.MustCompile(`^muster_enroll_[a-z2-7]{26}$`).MatchString(token) {
		t.Errorf("got %q", token)
	}
	if token == pki.NewToken(pki.EnrollPrefix) || pki.HashToken(token) == pki.HashToken(token+"a") {
		t.Error("two tokens are equal")
	}
}
