package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"time"
)

// ServerName is in every collector's certificate. Agents verify this name and not the collector's
// address, which may be a load balancer's or change with the network; the authority decides who is
// a collector.
const ServerName = "collector.muster.internal"

// IssueAgent signs a client certificate for an agent's key. The agent ID in it is informative; the
// collector identifies an agent by its key.
func (a *Authority) IssueAgent(
	key *ecdsa.PublicKey, agentID string, now time.Time, lifetime time.Duration,
) ([]byte, error) {
	return a.sign(key, &x509.Certificate{
		Subject:     pkix.Name{CommonName: agentID},
		NotBefore:   now.Add(-Backdate),
		NotAfter:    now.Add(lifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// IssueServer makes a key and a server certificate for a collector. The chain ends with the
// authority's certificate, so that an agent that has only a pin can find it. The certificate is
// valid from the start of the authority, so that it is accepted by an agent whose clock is years
// behind.
func (a *Authority) IssueServer(
	names []string, ips []net.IP, now time.Time, lifetime time.Duration,
) (tls.Certificate, error) {
	key, err := NewKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := a.sign(&key.PublicKey, &x509.Certificate{
		Subject:     pkix.Name{CommonName: ServerName},
		DNSNames:    append([]string{ServerName}, names...),
		IPAddresses: ips,
		NotBefore:   a.certificate.NotBefore,
		NotAfter:    now.Add(lifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read own certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// sign completes and signs a template. A certificate never outlives its authority.
func (a *Authority) sign(key *ecdsa.PublicKey, template *x509.Certificate) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	return der, nil
}
