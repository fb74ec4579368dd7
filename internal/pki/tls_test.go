package pki_test

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

func clock(at time.Time) func() time.Time { return func() time.Time { return at } }

// handshake returns the results of client and server for a connection over which the server sent
// one byte.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	near, far := net.Pipe()
	deadline := time.Now().Add(10 * time.Second)
	_, _ = near.SetDeadline(deadline), far.SetDeadline(deadline)
	done := make(chan error, 1)
	go func() {
		s := tls.Server(far, server)
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte{1})
		}
		_ = far.Close()
		done <- err
	}()
	c := tls.Client(near, client)
	if clientErr = c.Handshake(); clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1)) // the server's decision on the client's certificate arrives after the handshake
	}
	_ = near.Close()
	return <-done, clientErr
}

func serverTLS(t *testing.T, authority *pki.Authority, certificate tls.Certificate, at time.Time) *tls.Config {
	t.Helper()
	config := pki.ServerTLS(certificate, must(pki.Pool(authority.Certificate())))
	config.Time = clock(at)
	return config
}

func agentCertificate(t *testing.T, authority *pki.Authority, lifetime time.Duration) *tls.Certificate {
	t.Helper()
	key := must(pki.NewKey())
	der := must(authority.IssueAgent(&key.PublicKey, "agent-1", now, lifetime))
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// asServer presents an agent's certificate as a collector's, as an attacker would.
func asServer(t *testing.T, authority *pki.Authority) tls.Certificate {
	t.Helper()
	certificate := *agentCertificate(t, authority, time.Hour)
	certificate.Certificate = append(certificate.Certificate, authority.Certificate())
	return certificate
}

func withoutAuthority(c tls.Certificate) tls.Certificate {
	c.Certificate = c.Certificate[:1]
	return c
}

// spliced presents the pinned authority together with a certificate that another one signed.
func spliced(own tls.Certificate, pinned *pki.Authority) tls.Certificate {
	own.Certificate = append(slices.Clip(own.Certificate), pinned.Certificate())
	return own
}

func TestFirstContactTrustsThePinOnly(t *testing.T) {
	t.Parallel()
	authority, other := newAuthority(t), newAuthority(t)
	good := issueServer(t, authority, now, time.Hour)
	cases := map[string]struct {
		certificate tls.Certificate
		at          time.Time
		want        string // part of the error; empty: none
	}{
		"the pinned authority":          {good, now, ""},
		"a clock two years behind":      {good, now.AddDate(-2, 0, 0), ""},
		"another authority":             {issueServer(t, other, now, time.Hour), now, "not the pinned one"},
		"another one beside the pinned": {spliced(issueServer(t, other, now, time.Hour), authority), now, "unknown authority"},
		"no authority in the chain":     {withoutAuthority(good), now, "not the pinned one"},
		"expired":                       {good, now.Add(2 * time.Hour), "expired"},
		"an agent's certificate":        {asServer(t, authority), now, "collector.muster.internal"},
	}
	for name, c := range cases {
		client, err := pki.PinnedTLS(authority.Pin(), clock(c.at))
		if err != nil {
			t.Fatal(err)
		}
		_, got := handshake(t, serverTLS(t, authority, c.certificate, now), client)
		checkError(t, name, got, c.want)
	}
}

func TestAgentTrustsItsAuthoritiesOnly(t *testing.T) {
	t.Parallel()
	old, next, other := newAuthority(t), newAuthority(t), newAuthority(t)
	cases := map[string]struct {
		certificate tls.Certificate
		at          time.Time
		want        string
	}{
		"the old authority":        {issueServer(t, old, now, time.Hour), now, ""},
		"the next authority":       {issueServer(t, next, now, time.Hour), now, ""},
		"a clock two years behind": {issueServer(t, next, now, time.Hour), now.AddDate(-2, 0, 0), ""},
		"another authority":        {issueServer(t, other, now, time.Hour), now, "unknown authority"},
		"expired":                  {issueServer(t, old, now, time.Hour), now.Add(2 * time.Hour), "expired"},
		"an agent's certificate":   {asServer(t, old), now, "collector.muster.internal"},
	}
	for name, c := range cases {
		trusted := [][]byte{old.Certificate(), next.Certificate()}
		client, err := pki.ClientTLS(trusted, agentCertificate(t, old, time.Hour), clock(c.at))
		if err != nil {
			t.Fatal(err)
		}
		_, got := handshake(t, serverTLS(t, old, c.certificate, now), client)
		checkError(t, name, got, c.want)
	}
}

func TestCollectorRefusesOtherAuthorities(t *testing.T) {
	t.Parallel()
	authority, other := newAuthority(t), newAuthority(t)
	server := issueServer(t, authority, now, time.Hour)
	cases := map[string]struct {
		client *tls.Certificate
		at     time.Time
		want   string
	}{
		"none":              {nil, now, ""},
		"an agent's":        {agentCertificate(t, authority, time.Hour), now, ""},
		"an expired one":    {agentCertificate(t, authority, time.Minute), now.Add(10 * time.Minute), "expired"},
		"another authority": {agentCertificate(t, other, time.Hour), now, "unknown"},
		"a collector's":     {&server, now, "usage"},
	}
	for name, c := range cases {
		client, err := pki.ClientTLS([][]byte{authority.Certificate()}, c.client, clock(now))
		if err != nil {
			t.Fatal(err)
		}
		if c.client != nil { // presented even if the server names other authorities, as an attacker would
			certificate := *c.client
			client.Certificates = nil
			client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
		}
		got, clientErr := handshake(t, serverTLS(t, authority, server, c.at), client)
		checkError(t, name, got, c.want)
		if c.want != "" && clientErr == nil {
			t.Errorf("%s: the client noticed nothing", name)
		}
	}
}

func TestNeitherSideAcceptsOlderTLS(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	client := must(pki.ClientTLS([][]byte{authority.Certificate()}, nil, clock(now)))
	client.MinVersion, client.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	_, err := handshake(t, serverTLS(t, authority, issueServer(t, authority, now, time.Hour), now), client)
	checkError(t, "a client of TLS 1.2", err, "protocol version")
}

func TestPinForm(t *testing.T) {
	t.Parallel()
	pin := newAuthority(t).Pin()
	if err := pki.CheckPin(pin); err != nil {
		t.Errorf("%s: %v", pin, err)
	}
	for _, bad := range []string{"", "sha256:", pin[:len(pin)-1], strings.ToUpper(pin), strings.TrimPrefix(pin, "sha256:"), pin + "00"} {
		if _, err := pki.PinnedTLS(bad, clock(now)); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}

func TestClientNeedsAnAuthority(t *testing.T) {
	t.Parallel()
	if _, err := pki.ClientTLS(nil, nil, clock(now)); err == nil {
		t.Error("an agent without authorities would trust the system's")
	}
}

func checkError(t *testing.T, name string, got error, want string) {
	t.Helper()
	switch {
	case want == "" && got != nil:
		t.Errorf("%s: got %v, want none", name, got)
	case want != "" && got == nil:
		t.Errorf("%s: got no error, want %q", name, want)
	case want != "" && !strings.Contains(got.Error(), want):
		t.Errorf("%s: got %v, want %q", name, got, want)
	}
}
