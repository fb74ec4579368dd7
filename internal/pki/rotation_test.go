package pki_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

// TestAuthorityRotation is the matrix of a rotation: which authorities each side trusts, and which
// one issued each certificate. While both sides trust both, everybody can talk to everybody, so the
// certificates can be replaced one by one. Nobody ever accepts an authority that it does not trust.
func TestAuthorityRotation(t *testing.T) {
	t.Parallel()
	authorities := map[string]*pki.Authority{"old": newAuthority(t), "new": newAuthority(t)}
	bundles := map[string][][]byte{}
	servers, agents := map[string]tls.Certificate{}, map[string]*tls.Certificate{}
	for name, authority := range authorities {
		bundles[name] = [][]byte{authority.Certificate()}
		bundles["both"] = append(bundles["both"], authority.Certificate())
		servers[name] = issueServer(t, authority, now, time.Hour)
		agents[name] = agentCertificate(t, authority, time.Hour)
	}
	trusts := func(bundle, authority string) bool { return bundle == "both" || bundle == authority }
	for agentTrusts, agentBundle := range bundles {
		for serverTrusts, serverBundle := range bundles {
			for serverOf, server := range servers {
				for agentOf, agent := range agents {
					config := pki.ServerTLS(server, must(pki.Pool(serverBundle...)))
					config.Time = clock(now)
					client, err := pki.ClientTLS(agentBundle, nil, clock(now))
					if err != nil {
						t.Fatal(err)
					}
					client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return agent, nil }
					serverErr, clientErr := handshake(t, config, client)
					name := "agent trusts " + agentTrusts + ", server trusts " + serverTrusts +
						", server of " + serverOf + ", agent of " + agentOf
					switch {
					case !trusts(agentTrusts, serverOf):
						checkError(t, name, clientErr, "unknown authority")
					case !trusts(serverTrusts, agentOf):
						checkError(t, name, serverErr, "unknown")
						if clientErr == nil || !strings.Contains(clientErr.Error(), "tls") {
							t.Errorf("%s: the agent got %v", name, clientErr)
						}
					case serverErr != nil || clientErr != nil:
						t.Errorf("%s: got %v and %v", name, serverErr, clientErr)
					}
				}
			}
		}
	}
}

// TestExpiryToTheMinute: a certificate is good until it expires and no longer, on both sides.
func TestExpiryToTheMinute(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	server, agent := issueServer(t, authority, now, time.Hour), agentCertificate(t, authority, time.Hour)
	for at, expired := range map[time.Duration]bool{0: false, 59 * time.Minute: false, 61 * time.Minute: true} {
		want := ""
		if expired {
			want = "expired"
		}
		client, err := pki.ClientTLS([][]byte{authority.Certificate()}, nil, clock(now.Add(at)))
		if err != nil {
			t.Fatal(err)
		}
		_, got := handshake(t, serverTLS(t, authority, server, now.Add(at)), client)
		checkError(t, "the collector's after "+at.String(), got, want)

		client, err = pki.ClientTLS([][]byte{authority.Certificate()}, agent, clock(now))
		if err != nil {
			t.Fatal(err)
		}
		got, _ = handshake(t, serverTLS(t, authority, server, now.Add(at)), client)
		checkError(t, "the agent's after "+at.String(), got, want)
	}
}
