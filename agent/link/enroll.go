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

// maxAuthorities bounds the certificate authorities that an agent trusts.
const maxAuthorities = 16

// Enrollment is the input of Enroll, from the operator.
type Enrollment struct {
	Collector string // host:port
	Token     string
	Pin       string // of the authority, as pki.Authority.Pin returns it
	// What the machine claims to be, for the person who approves the agent; "": unknown.
	SerialNumber, Hostname string
}

// Enroll makes a key and requests a certificate for it. It sends nothing before the collector has
// proved that it belongs to the pinned authority. It stores nothing; the caller stores the
// identity. A nil now means time.Now.
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
	request := &inventoryv1.EnrollRequest{
		Token: e.Token, Csr: csr, SerialNumber: e.SerialNumber, Hostname: e.Hostname,
	}
	answer, err := inventoryv1.NewEnrollmentClient(connection).Enroll(ctx, request)
	if err != nil {
		return state.Identity{}, err
	}
	identity := state.Identity{AgentID: answer.GetAgentId(), Collector: e.Collector, Pin: e.Pin, Key: key}
	if !pinned(answer.GetAuthorities(), e.Pin) {
		return state.Identity{}, errors.New("the collector did not send the pinned certificate authority")
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

// withCertificate adds a collector's certificate and authorities to the identity after checking
// that they match the key and each other.
func withCertificate(identity state.Identity, der []byte, authorities [][]byte, now time.Time) (state.Identity, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return identity, fmt.Errorf("read the certificate from the collector: %w", err)
	}
	if !identity.Key.PublicKey.Equal(certificate.PublicKey) {
		return identity, errors.New("the collector sent a certificate for another key")
	}
	if len(authorities) > maxAuthorities {
		return identity, fmt.Errorf("the collector sent %d certificate authorities, more than %d",
			len(authorities), maxAuthorities)
	}
	if !signedByOne(certificate, authorities) {
		return identity, errors.New("none of the collector's certificate authorities signed the certificate it sent")
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
