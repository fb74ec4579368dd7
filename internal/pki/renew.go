package pki

import (
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// NonceLifetime is how long an agent may take to answer a challenge.
const NonceLifetime = 5 * time.Minute

// A nonce consists of its expiry (Unix seconds, big-endian), random bytes, and an HMAC over both.
// Every collector of an authority derives the same HMAC key, so that none has to store nonces.
const (
	expirySize = 8
	randomSize = 16
	nonceSize  = expirySize + randomSize + sha256.Size
)

// ErrNonce reports that this authority did not make the nonce, or that it has expired.
var ErrNonce = errors.New("the nonce is unknown or too old")

// ErrSignature reports that the key's holder did not sign the renewal.
var ErrSignature = errors.New("the signature does not match the key")

func deriveNonceKey(key *ecdsa.PrivateKey) ([]byte, error) {
	secret, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("derive nonce key: %w", err)
	}
	derived, err := hkdf.Key(sha256.New, secret, nil, "muster renew nonce", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive nonce key: %w", err)
	}
	return derived, nil
}

// Nonce returns a challenge that is valid for NonceLifetime.
func (a *Authority) Nonce(now time.Time) []byte {
	nonce := make([]byte, expirySize+randomSize, nonceSize)
	binary.BigEndian.PutUint64(nonce, uint64(now.Add(NonceLifetime).Unix())) //nolint:gosec // after 1970
	_, _ = rand.Read(nonce[expirySize:])                                     // never fails
	return append(nonce, a.authenticate(nonce)...)
}

// CheckNonce returns ErrNonce unless this authority made the nonce and it has not expired.
func (a *Authority) CheckNonce(nonce []byte, now time.Time) error {
	if len(nonce) != nonceSize {
		return ErrNonce
	}
	content, mac := nonce[:expirySize+randomSize], nonce[expirySize+randomSize:]
	if !hmac.Equal(mac, a.authenticate(content)) {
		return ErrNonce
	}
	expiry := int64(binary.BigEndian.Uint64(content)) //nolint:gosec // written by Nonce
	if now.Unix() > expiry {
		return ErrNonce
	}
	return nil
}

func (a *Authority) authenticate(content []byte) []byte {
	mac := hmac.New(sha256.New, a.nonceKey)
	mac.Write(content)
	return mac.Sum(nil)
}

// RenewMessage returns what the holder of a key signs to renew its certificate: a hash that no
// other protocol signs.
func RenewMessage(nonce []byte) [32]byte {
	return sha256.Sum256(append([]byte("muster renew"), nonce...))
}

// SignRenew answers a challenge.
func SignRenew(key *ecdsa.PrivateKey, nonce []byte) ([]byte, error) {
	digest := RenewMessage(nonce)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign renewal: %w", err)
	}
	return signature, nil
}

// CheckRenew returns the key (PKIX DER) whose holder signed the nonce. It does not check the nonce;
// CheckNonce does.
func CheckRenew(publicKey, nonce, signature []byte) (*ecdsa.PublicKey, error) {
	key, err := ParseKey(publicKey)
	if err != nil {
		return nil, err
	}
	digest := RenewMessage(nonce)
	if !ecdsa.VerifyASN1(key, digest[:], signature) {
		return nil, ErrSignature
	}
	return key, nil
}
