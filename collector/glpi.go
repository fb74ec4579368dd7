package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/musterhq/muster/collector/glpi"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/pki"
)

// glpiFlags configure the GLPI-protocol endpoint.
type glpiFlags struct {
	Addr      string        `env:"MUSTER_GLPI_ADDR" help:"Listen for GLPI, FusionInventory and OCS agents on this address, over HTTPS. Default: off."`
	TokenFile string        `env:"MUSTER_GLPI_TOKEN_FILE" help:"File with the passwords of these agents: one per line, with a name before it or without, at least 16 characters. Changes take effect at once. Default: glpi.token in the data directory, created at the first start." type:"path"`
	Interval  time.Duration `env:"MUSTER_GLPI_INTERVAL" default:"24h" help:"How often each of these agents reports, in whole hours."`
}

// glpiPrefix begins generated passwords, so that people and secret scanners recognize them.
const glpiPrefix = "muster_glpi_"

// serveGLPI starts the GLPI-protocol endpoint. Its agents verify the server by our CA, whose
// certificate is written to a file for them, and by the host name in the server certificate.
func (c *collector) serveGLPI(authority *pki.Authority, ingester *ingest.Ingester) error {
	listener := c.listeners.glpi
	names, addresses, err := glpiHosts(c.agentAddr(), c.flags.GLPI.Addr, listener.Addr())
	if err != nil {
		return err
	}
	credentials, err := openCredentials(c.flags, c.logger)
	if err != nil {
		return err
	}
	serving, err := authority.Serving(names, addresses, time.Now)
	if err != nil {
		return err
	}
	if err := writeAuthority(c.flags.DataDir, authority); err != nil {
		return err
	}
	// TLS 1.2, because the Perl of old agents has no later one.
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: serving}
	c.glpiAddr = listener.Addr().String()
	c.serveHTTP(tls.NewListener(listener, config), glpi.New(glpi.Options{
		Import: ingester.Import, Credentials: credentials.current, Interval: c.flags.GLPI.Interval, Logger: c.logger,
	}))
	return nil
}

// glpiHosts returns the names and addresses for the server certificate: those that agents connect
// to, and the one that we listen on. Unlike our own agents, these agents check the host name.
func glpiHosts(agentAddr, flag string, listening net.Addr) (names []string, addresses []net.IP, err error) {
	reachable := false
	for _, address := range []string{agentAddr, flag} {
		hosts, ips := hostsOf(address)
		names = append(names, hosts...)
		reachable = reachable || len(hosts) > 0
		for _, ip := range ips {
			if !ip.IsUnspecified() {
				addresses = append(addresses, ip)
				reachable = reachable || !ip.IsLoopback()
			}
		}
	}
	if tcp, ok := listening.(*net.TCPAddr); ok && tcp.IP.IsLoopback() || reachable {
		return names, addresses, nil
	}
	return nil, nil, fmt.Errorf("agents cannot verify the certificate of --glpi-addr %s, because no host name is set; "+
		"set --agent-addr NAME:PORT to the name by which agents reach this collector", flag)
}

// writeAuthority writes the CA's certificate, which agents need as ca-cert-file. It is not secret.
func writeAuthority(dir string, authority *pki.Authority) error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate()})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o644); err != nil { //nolint:gosec // public
		return fmt.Errorf("write authority certificate: %w", err)
	}
	return nil
}
