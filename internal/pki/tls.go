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

// ErrPin reports that the server presented no authority with the given pin.
var ErrPin = errors.New("the server's certificate authority is not the pinned one")

// Pool returns a pool of trusted certificates (DER).
func Pool(authorities ...[]byte) (*x509.CertPool, error) {
	pool, _, err := gather(authorities)
	return pool, err
}

// gather also returns the latest start of validity among the authorities.
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

// ServerTLS returns the settings of a collector. It verifies a client certificate if there is one.
// Enrollment has none, so each call decides whether it requires one.
func ServerTLS(certificate tls.Certificate, authorities *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{certificate},
		ClientAuth:             tls.VerifyClientCertIfGiven,
		ClientCAs:              authorities,
		SessionTicketsDisabled: true, // agents keep one connection, so tickets would be wasted bytes
	}
}

// ClientTLS returns the settings of an agent. It trusts only the given authorities (DER), not those
// of the system. certificate is nil for calls of the Enrollment service. now is the agent's clock,
// which may be far behind.
func ClientTLS(authorities [][]byte, certificate *tls.Certificate, now func() time.Time) (*tls.Config, error) {
	if len(authorities) == 0 {
		return nil, errors.New("no certificate authority to trust")
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

// PinnedTLS returns the settings of an agent's first contact, when it knows only the pin of the
// authority.
//
// InsecureSkipVerify turns off the standard verification, which needs the authority's certificate
// beforehand. VerifyConnection replaces it; it runs in every handshake before anything is sent. The
// server must present an authority whose key has the pin. Its own certificate must chain to that
// authority, be valid now, be meant for servers and contain ServerName. The handshake itself proves
// that the server holds its key.
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

// CheckPin returns an error unless the pin has the form that Authority.Pin returns.
func CheckPin(pin string) error {
	sum, ok := strings.CutPrefix(pin, pinPrefix)
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != 32 || strings.ToLower(sum) != sum {
		return fmt.Errorf("the CA pin must be %q followed by 64 lower-case hexadecimal digits", pinPrefix)
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

// notBefore returns the later time. An authority's certificate proves that its start of validity
// has passed, even if the clock is behind.
func notBefore(now, began time.Time) time.Time {
	if now.Before(began) {
		return began
	}
	return now
}
