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

// KeyID identifies a key and thereby its holder: SHA-256 of its SubjectPublicKeyInfo. The key must
// be a P-256 key, as ParseCSR, ParseKey and KeyOf return.
func KeyID(key *ecdsa.PublicKey) [32]byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err) // cannot happen: all functions that return keys check the curve
	}
	return sha256.Sum256(der)
}

// KeyOf returns the key of a certificate.
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

// NewCSR returns a certificate request, DER. It contains only the key and the proof of its
// possession.
func NewCSR(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return der, nil
}

// ParseCSR returns the key of a certificate request after checking the request's signature. It
// ignores everything else in the request.
func ParseCSR(der []byte) (*ecdsa.PublicKey, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("read certificate request: %w", err)
	}
	key, err := p256(request.PublicKey) // before the signature, which takes seconds to check for a huge RSA key
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
