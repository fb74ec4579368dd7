package pki

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// ServerLifetime is the lifetime of a collector's certificate.
const ServerLifetime = 90 * 24 * time.Hour

// Serving makes a certificate for a collector and returns a function for tls.Config.GetCertificate.
// The function replaces the certificate at half its lifetime, so that a collector may run for
// years. now is the collector's clock.
func (a *Authority) Serving(
	names []string, ips []net.IP, now func() time.Time,
) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	issue := func() (tls.Certificate, error) { return a.IssueServer(names, ips, now(), ServerLifetime) }
	current, err := issue()
	if err != nil {
		return nil, fmt.Errorf("issue server certificate: %w", err)
	}
	var mu sync.Mutex
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if current.Leaf.NotAfter.Sub(now()) < ServerLifetime/2 {
			renewed, err := issue()
			if err != nil {
				return nil, fmt.Errorf("renew server certificate: %w", err)
			}
			current = renewed
		}
		served := current
		return &served, nil
	}, nil
}
