package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrPin says that a server showed no authority of the given pin.
var ErrPin = errors.New("the server's certificate authority is not the pinned one")

// Pool gathers certificates (DER) to trust.
func Pool(authorities ...[]byte) (*x509.CertPool, error) {
	pool, _, err := gather(authorities)
	return pool, err
}

// gather also gives when the youngest authority began.
func gather(authorities [][]byte) (pool *x509.CertPool, began time.Time, err error) {
	pool = x509.NewCertPool()
	for _, der := range authorities {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("read authority certificate: %w", err)
		}
		pool.AddCert(certificate)
		if certificate.NotBefore.After(began) {
			began = certificate.NotBefore
		}
	}
	return pool, began, nil
}

// ServerTLS is a collector's side. A client certificate is verified if one is given: enrollment has none, and
// which calls need one is decided call by call.
func ServerTLS(certificate tls.Certificate, authorities *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{certificate},
		ClientAuth:             tls.VerifyClientCertIfGiven,
		ClientCAs:              authorities,
		SessionTicketsDisabled: true, // agents keep one connection; a ticket would be bytes for nothing
	}
}

// ClientTLS is an agent's side: it trusts the given authorities (DER) and nothing else, whatever the system trusts.
// Without a client certificate it serves for the calls of the Enrollment service. now is the agent's clock,
// which may be far behind.
func ClientTLS(authorities [][]byte, certificate *tls.Certificate, now func() time.Time) (*tls.Config, error) {
	if len(authorities) == 0 {
		return nil, errors.New("no authority to trust")
	}
	pool, began, err := gather(authorities)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    pool,
		ServerName: ServerName,
		Time:       func() time.Time { return notBefore(now(), began) },
	}
	if certificate != nil {
		config.Certificates = []tls.Certificate{*certificate}
	}
	return config, nil
}

// PinnedTLS is an agent's side of the first contact, when it knows nothing but the pin of the authority.
//
// InsecureSkipVerify turns off the standard verification, which needs the authority's certificate beforehand. It is
// not skipped but done in VerifyConnection, which runs in every handshake before anything is sent: the server must show an
// authority whose key has the pin, and its own certificate must chain to that one, be valid now, be meant for
// servers and carry ServerName. The handshake itself proves that the server holds its key.
func PinnedTLS(pin string, now func() time.Time) (*tls.Config, error) {
	if err := CheckPin(pin); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		ServerName:         ServerName,
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(state tls.ConnectionState) error {
			return verifyPinned(state.PeerCertificates, pin, now())
		},
	}, nil
}

// CheckPin reports whether a pin has the form that Authority.Pin gives.
func CheckPin(pin string) error {
	sum, ok := strings.CutPrefix(pin, pinPrefix)
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != 32 || strings.ToLower(sum) != sum {
		return fmt.Errorf("the pin is not %q and 64 hexadecimal digits", pinPrefix)
	}
	return nil
}

func verifyPinned(chain []*x509.Certificate, pin string, now time.Time) error {
	for _, authority := range chain {
		if !authority.IsCA || PinOf(authority) != pin {
			continue
		}
		pool := x509.NewCertPool()
		pool.AddCert(authority)
		_, err := chain[0].Verify(x509.VerifyOptions{
			Roots:       pool,
			DNSName:     ServerName,
			CurrentTime: notBefore(now, authority.NotBefore),
			KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		})
		return err
	}
	return ErrPin
}

// notBefore is the later of the two: whoever holds an authority's certificate knows that it has begun.
func notBefore(now, began time.Time) time.Time {
	if now.Before(began) {
		return began
	}
	return now
}
