package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/musterhq/muster/collector/glpi"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/pki"
)

// glpiFlags say where and how agents of other tools report.
type glpiFlags struct {
	Addr      string        `help:"Where agents of GLPI, FusionInventory and OCS report, over HTTPS. Default: nowhere."`
	TokenFile string        `help:"The password that these agents come with, of 16 characters at least; several, one in each line, while a fleet changes from one to the next. Default: glpi.token in the data directory. Made at the first start." type:"path"`
	Interval  time.Duration `default:"24h" help:"How often each of these agents is told to report, in whole hours."`
}

// glpiPrefix is what the passwords that we make begin with, by which people and secret scanners tell them.
const glpiPrefix = "muster_glpi_"

// serveGLPI begins to take the reports of other tools' agents. They trust who has a certificate of our authority,
// which is therefore written to a file for them, and carries the name by which they reach us.
func (c *collector) serveGLPI(authority *pki.Authority, ingester *ingest.Ingester) error {
	listener := c.listeners.glpi
	names, addresses, err := glpiHosts(c.agentAddr(), c.flags.GLPI.Addr, listener.Addr())
	if err != nil {
		return err
	}
	passwords, err := glpiPasswords(c.flags)
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
		Import: ingester.Import, Passwords: passwords, Interval: c.flags.GLPI.Interval, Logger: c.logger,
	}))
	return nil
}

// glpiHosts gives what the certificate is for: where agents are told to connect, and where we listen. Unlike ours,
// these agents check the name that they were given.
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
	return nil, nil, fmt.Errorf("agents at --glpi-addr %s would check a name that the certificate does not have: "+
		"say with --agent-addr NAME:PORT by which name agents reach this collector", flag)
}

// glpiPasswords reads the passwords of other tools' agents, making one where there is no file.
func glpiPasswords(flags serveFlags) ([][32]byte, error) {
	file := flags.GLPI.TokenFile
	if file == "" {
		file = filepath.Join(flags.DataDir, "glpi.token")
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator's choice
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(pki.NewToken(glpiPrefix))
		err = writeSecret(file, string(text))
	}
	if err != nil {
		return nil, fmt.Errorf("read passwords of GLPI agents: %w", err)
	}
	if err := checkSecret(file); err != nil {
		return nil, err
	}
	var passwords [][32]byte
	for number, line := range strings.Split(string(text), "\n") {
		password := strings.TrimSpace(line)
		if password == "" {
			continue
		}
		if len(password) < minPassword {
			return nil, fmt.Errorf("%s, line %d: the password has less than %d characters", file, number+1, minPassword)
		}
		passwords = append(passwords, sha256.Sum256([]byte(password)))
	}
	if len(passwords) == 0 {
		return nil, fmt.Errorf("%s has no password; remove it to have one made", file)
	}
	return passwords, nil
}

// minPassword keeps people from passwords that can be guessed: nothing slows those down who try.
const minPassword = 16

// writeAuthority writes the authority's certificate for agents to trust (their option ca-cert-file). It is no secret.
func writeAuthority(dir string, authority *pki.Authority) error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate()})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o644); err != nil { //nolint:gosec // for everybody to read
		return fmt.Errorf("write authority certificate: %w", err)
	}
	return nil
}
