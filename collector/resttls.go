package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

// restFlags configure the listener of the REST API. --http-addr is beside them in serveFlags.
type restFlags struct {
	Cert     string `env:"MUSTER_HTTP_CERT" help:"File with the certificate chain (PEM) of the REST API, which then speaks HTTPS. A file that changes is read again." type:"path"`
	Key      string `env:"MUSTER_HTTP_KEY" help:"File with the private key (PEM) of --http-cert." type:"path"`
	TLS      bool   `env:"MUSTER_HTTP_TLS" help:"The REST API speaks HTTPS with a certificate of the agents' CA, which clients find as ca.pem in the data directory."`
	Insecure bool   `env:"MUSTER_HTTP_INSECURE" help:"Allow a REST API without TLS on other addresses than the loopback: API tokens and all data can then be read on the network."`
}

// check returns an error for flags that contradict each other.
func (f restFlags) check() error {
	switch {
	case (f.Cert == "") != (f.Key == ""):
		return errors.New("--http-cert and --http-key are needed together")
	case f.Cert != "" && f.TLS:
		return errors.New("--http-tls uses a certificate of the agents' CA: leave out --http-cert and --http-key, " +
			"or --http-tls")
	default:
		return nil
	}
}

// permit returns an error for a listener that would send API tokens in plain text over a network.
func (f restFlags) permit(listening net.Addr) error {
	tcp, ok := listening.(*net.TCPAddr)
	if f.Cert != "" || f.TLS || f.Insecure || ok && tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("the REST API on %s would send API tokens and data in plain text: set --http-cert and "+
		"--http-key, or --http-tls for a certificate of the agents' CA, or listen on 127.0.0.1 behind a TLS proxy, "+
		"or set --http-insecure if the network is protected otherwise", listening)
}

// restTLS returns the TLS settings of the REST API, or nil for plain HTTP.
func (c *collector) restTLS(authority *pki.Authority) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	switch flags := c.flags.REST; {
	case flags.Cert != "":
		files := &certificateFiles{cert: flags.Cert, key: flags.Key, logger: c.logger, now: time.Now}
		if err := files.load(); err != nil {
			return nil, err
		}
		config.GetCertificate = files.get
	case flags.TLS:
		names, addresses := c.restHosts()
		serving, err := authority.Serving(names, addresses, time.Now)
		if err != nil {
			return nil, err
		}
		if err := writeAuthority(c.flags.DataDir, authority); err != nil {
			return nil, err
		}
		config.GetCertificate = serving
	default:
		return nil, nil //nolint:nilnil // nil means plain HTTP
	}
	return config, nil
}

// restHosts returns the names and addresses of the REST API for its certificate: of the flags, of
// the machine and of the loopback.
func (c *collector) restHosts() (names []string, addresses []net.IP) {
	names, addresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	for _, address := range []string{c.agentAddr(), c.flags.HTTPAddr} {
		hosts, ips := hostsOf(address)
		names = append(names, hosts...)
		for _, ip := range ips {
			if !ip.IsUnspecified() {
				addresses = append(addresses, ip)
			}
		}
	}
	return names, addresses
}

// certificateFiles is a certificate in files that another program renews.
type certificateFiles struct {
	cert, key string
	logger    *slog.Logger
	now       func() time.Time

	mu       sync.Mutex
	current  *tls.Certificate
	modified time.Time // of the file of the current certificate
	checked  time.Time
}

// reloadInterval is the time between two looks at the file of a certificate.
const reloadInterval = 10 * time.Second

// load reads the files if the certificate's changed.
func (f *certificateFiles) load() error {
	info, err := os.Stat(f.cert)
	if err != nil {
		return fmt.Errorf("read --http-cert: %w", err)
	}
	if f.current != nil && info.ModTime().Equal(f.modified) {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("read --http-cert and --http-key: %w", err)
	}
	f.current, f.modified = &certificate, info.ModTime()
	return nil
}

// get is a tls.Config.GetCertificate. While new files cannot be read, e.g. because only one of them
// was replaced yet, it returns the previous certificate.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.checked) >= reloadInterval {
		f.checked = now
		if err := f.load(); err != nil {
			f.logger.Error("cannot renew the certificate of the REST API", "error", err)
		}
	}
	return f.current, nil
}
