package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
)

// KeyID identifies a key, and so whoever holds it: SHA-256 of its SubjectPublicKeyInfo. The key must be a P-256
// key, as those are that ParseCSR, ParseKey and KeyOf give.
func KeyID(key *ecdsa.PublicKey) [32]byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err) // no key of ours: every way into the program checks the curve
	}
	return sha256.Sum256(der)
}

// KeyOf gives the key of a certificate.
func KeyOf(certificate *x509.Certificate) (*ecdsa.PublicKey, error) {
	return p256(certificate.PublicKey)
}

// ParseKey reads a public key, PKIX DER.
func ParseKey(der []byte) (*ecdsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	return p256(parsed)
}

// NewCSR asks for a certificate of a key and proves that its holder asks. It says nothing else.
func NewCSR(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return der, nil
}

// ParseCSR gives the key that a request asks a certificate for, after checking that its holder signed the request.
// Whatever else the request says is ignored.
func ParseCSR(der []byte) (*ecdsa.PublicKey, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("read certificate request: %w", err)
	}
	key, err := p256(request.PublicKey) // before the signature: one of a huge RSA key costs seconds to check
	if err != nil {
		return nil, err
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("check certificate request: %w", err)
	}
	return key, nil
}

func p256(key any) (*ecdsa.PublicKey, error) {
	ec, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is not a P-256 key")
	}
	return ec, checkKey(ec)
}

func checkKey(key *ecdsa.PublicKey) error {
	if key.Curve != elliptic.P256() {
		return errors.New("the key is not a P-256 key")
	}
	return nil
}
