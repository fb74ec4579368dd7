package link

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// maxAuthorities bounds what an agent keeps of what it is told to trust.
const maxAuthorities = 16

// Enrollment is what an operator gives an agent to become known.
type Enrollment struct {
	Collector string // host:port
	Token     string
	Pin       string // of the authority, as pki.Authority.Pin gives it
}

// Enroll makes a key and gets it a certificate. It sends nothing before the collector has shown the pinned authority,
// and keeps nothing: the identity is the caller's. A nil now is time.Now.
func Enroll(ctx context.Context, e Enrollment, now func() time.Time) (state.Identity, error) {
	now = clock(now)
	config, err := pki.PinnedTLS(e.Pin, now)
	if err != nil {
		return state.Identity{}, err
	}
	connection, err := connect(e.Collector, config)
	if err != nil {
		return state.Identity{}, err
	}
	defer func() { _ = connection.Close() }()
	key, csr, err := newKey()
	if err != nil {
		return state.Identity{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := inventoryv1.NewEnrollmentClient(connection).Enroll(ctx, &inventoryv1.EnrollRequest{Token: e.Token, Csr: csr})
	if err != nil {
		return state.Identity{}, err
	}
	identity := state.Identity{AgentID: answer.GetAgentId(), Collector: e.Collector, Pin: e.Pin, Key: key}
	if !pinned(answer.GetAuthorities(), e.Pin) {
		return state.Identity{}, errors.New("the collector's answer does not name the pinned authority")
	}
	return withCertificate(identity, answer.GetCertificate(), answer.GetAuthorities(), now())
}

func newKey() (key *ecdsa.PrivateKey, csr []byte, err error) {
	if key, err = pki.NewKey(); err != nil {
		return nil, nil, err
	}
	csr, err = pki.NewCSR(key)
	return key, csr, err
}

func pinned(authorities [][]byte, pin string) bool {
	for _, der := range authorities {
		if certificate, err := x509.ParseCertificate(der); err == nil && pki.PinOf(certificate) == pin {
			return true
		}
	}
	return false
}

// withCertificate completes an identity with what a collector answered, after looking at whether it can be true.
func withCertificate(identity state.Identity, der []byte, authorities [][]byte, now time.Time) (state.Identity, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return identity, fmt.Errorf("read the certificate in the collector's answer: %w", err)
	}
	if !identity.Key.PublicKey.Equal(certificate.PublicKey) {
		return identity, errors.New("the certificate in the collector's answer is for another key")
	}
	if len(authorities) > maxAuthorities {
		return identity, fmt.Errorf("the collector's answer names %d authorities", len(authorities))
	}
	if !signedByOne(certificate, authorities) {
		return identity, errors.New("no authority in the collector's answer signed the certificate in it")
	}
	identity.Certificate, identity.Authorities, identity.Received = certificate, authorities, now
	return identity, nil
}

func signedByOne(certificate *x509.Certificate, authorities [][]byte) bool {
	for _, der := range authorities {
		authority, err := x509.ParseCertificate(der)
		if err == nil && certificate.CheckSignatureFrom(authority) == nil {
			return true
		}
	}
	return false
}
