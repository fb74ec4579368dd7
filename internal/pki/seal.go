package pki

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// Seal encrypts the authority's key (PKCS #8) with a master key, by AES-256-GCM with a random
// nonce. The authority's certificate is authenticated with it: OpenAuthority fails with another
// certificate.
func (a *Authority) Seal(masterKey [32]byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("encode authority key: %w", err)
	}
	box, err := sealer(masterKey)
	if err != nil {
		return nil, err
	}
	return box.Seal(nil, nil, der, a.certificate.Raw), nil
}

// OpenAuthority is the inverse of Seal.
func OpenAuthority(certificate, sealed []byte, masterKey [32]byte) (*Authority, error) {
	box, err := sealer(masterKey)
	if err != nil {
		return nil, err
	}
	der, err := box.Open(nil, nil, sealed, certificate)
	if err != nil {
		return nil, errors.New("open authority: wrong master key, or the record is damaged")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("open authority: the key is a %T", parsed)
	}
	return newAuthority(certificate, key)
}

func sealer(masterKey [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(masterKey[:])
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return box, nil
}
