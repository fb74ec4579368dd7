// Package pki implements the agents' certificate authority: certificates for keys, enrollment
// tokens, the nonces of a renewal, and the TLS settings of both ends. It opens no file, no
// connection and no database, and never takes an identity from a name in a certificate. Start
// reading at Authority.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Backdate is how long before its issue an agent's certificate becomes valid, so that collectors
// with slightly different clocks accept each other's certificates.
const Backdate = time.Hour

const (
	authorityLifetime = 20 * 365 * 24 * time.Hour
	pinPrefix         = "sha256:"
)

// Authority signs the certificates of agents and collectors. It is safe for concurrent use.
type Authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	nonceKey    []byte
}

// NewAuthority makes an authority with a new key.
func NewAuthority(now time.Time) (*Authority, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	der, err := selfSign(key, now)
	if err != nil {
		return nil, err
	}
	return newAuthority(der, key)
}

func selfSign(key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Muster agent authority"},
		NotBefore:             now.Add(-Backdate),
		NotAfter:              now.Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority: %w", err)
	}
	return der, nil
}

func newAuthority(der []byte, key *ecdsa.PrivateKey) (*Authority, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read authority certificate: %w", err)
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, errors.New("read authority: the key does not match the certificate")
	}
	nonceKey, err := deriveNonceKey(key)
	if err != nil {
		return nil, err
	}
	return &Authority{key: key, certificate: certificate, nonceKey: nonceKey}, nil
}

// Certificate returns the authority's own certificate, DER.
func (a *Authority) Certificate() []byte { return a.certificate.Raw }

// Pin returns the authority's pin. An agent that enrolls with the pin trusts only this authority.
func (a *Authority) Pin() string { return PinOf(a.certificate) }

// PinOf returns the pin of a certificate: "sha256:" and the hash of its public key (its
// SubjectPublicKeyInfo, RFC 7469 §2.4, but in hex). A renewed certificate with the same key has the
// same pin.
func PinOf(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return pinPrefix + hex.EncodeToString(sum[:])
}

// NewKey makes a P-256 key, the only type of key that this package accepts.
func NewKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}
