package link_test

import (
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestEnrollReturnsAnIdentity(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	e := link.Enrollment{Collector: c.address, Token: goodToken, Pin: c.authority.Pin()}
	behind := func() time.Time { return birth.AddDate(-2, 0, 0) }
	identity, err := link.Enroll(t.Context(), e, behind)
	if err != nil {
		t.Fatal(link.Explain(err))
	}
	if identity.AgentID != "agent-1" || identity.Collector != c.address || identity.Pin != e.Pin || len(identity.Authorities) != 1 {
		t.Errorf("got %+v", identity)
	}
	if got, want := link.ExpiresAt(identity), behind().Add(agentLifetime); !got.Equal(want) {
		t.Errorf("expires by this machine's clock: got %v, want %v", got, want)
	}
}

func TestEnrollRefusals(t *testing.T) {
	t.Parallel()
	stranger, err := pki.NewAuthority(birth)
	if err != nil {
		t.Fatal(err)
	}
	good := newCollector(t)
	cases := map[string]struct {
		token, pin string
		collector  string
		answer     *inventoryv1.EnrollResponse
		want       string
		untold     bool // the collector must not receive the token
	}{
		"wrong token":       {token: "muster_enroll_bad", want: "refuses this agent: the enrollment token is unknown, expired or used up"},
		"wrong pin":         {pin: stranger.Pin(), want: "does not match the CA pin", untold: true},
		"malformed pin":     {pin: "sha256:abc", want: "64 lower-case hexadecimal digits", untold: true},
		"no port":           {collector: "collector.example", want: "not HOST:PORT", untold: true},
		"a local socket":    {collector: "unix:///run/x", want: "not HOST:PORT", untold: true},
		"nobody there":      {collector: "127.0.0.1:1", want: "the collector cannot be reached", untold: true},
		"empty answer":      {answer: &inventoryv1.EnrollResponse{}, want: "did not send the pinned certificate authority"},
		"another authority": {answer: &inventoryv1.EnrollResponse{Authorities: [][]byte{stranger.Certificate()}}, want: "did not send the pinned certificate authority"},
		"no certificate":    {answer: &inventoryv1.EnrollResponse{Authorities: [][]byte{good.authority.Certificate()}}, want: "read the certificate"},
		"another's certificate": {answer: &inventoryv1.EnrollResponse{
			Authorities: [][]byte{good.authority.Certificate()}, Certificate: someoneElses(t, good.authority),
		}, want: "for another key"},
	}
	for name, tc := range cases {
		c := newCollector(t)
		if tc.answer != nil {
			c.authority, c.answer = good.authority, tc.answer
			c.address = c.serve(t, mustIssue(t, good.authority))
		}
		e := link.Enrollment{Collector: c.address, Token: goodToken, Pin: c.authority.Pin()}
		e.Collector = either(tc.collector, e.Collector)
		e.Token, e.Pin = either(tc.token, e.Token), either(tc.pin, e.Pin)
		_, err := link.Enroll(t.Context(), e, c.now)
		if err == nil || !strings.Contains(link.Explain(err), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if received := len(c.calls) > 0; received == tc.untold {
			t.Errorf("%s: the collector was called: %v", name, received)
		}
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func someoneElses(t *testing.T, authority *pki.Authority) []byte {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := authority.IssueAgent(&key.PublicKey, "agent-9", birth, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// jump sets the clocks of both ends.
func jump(c *collector, m *machine, at time.Time) {
	c.with(func() { c.clock = at })
	m.with(func() { m.clock = at })
}

func calls(c *collector) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.calls, " ")
}

func TestCertificateIsRenewedAroundHalfLife(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	was, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	jump(c, m, birth.Add(agentLifetime*39/100))
	mustSync(t, a)
	if got := calls(c); got != "Enroll" {
		t.Errorf("at 39 %%: got calls %q", got)
	}
	jump(c, m, birth.Add(agentLifetime*61/100))
	mustSync(t, a)
	mustSync(t, a)
	if got := calls(c); got != "Enroll Renew" {
		t.Errorf("at 61 %%: got calls %q, want one renewal", got)
	}
	is, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if !is.Key.Equal(was.Key) || is.AgentID != was.AgentID || !is.Certificate.NotAfter.After(was.Certificate.NotAfter) {
		t.Error("the renewed identity is not the same with a younger certificate")
	}
}

func TestExpiredCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	for name, agentKnows := range map[string]bool{"and the agent knows": true, "and the agent's clock stands still": false} {
		c, m := newCollector(t), newMachine("bash")
		a := newAgent(t, c, m)
		c.with(func() { c.clock = birth.Add(60 * 24 * time.Hour) })
		if agentKnows {
			m.with(func() { m.clock = birth.Add(60 * 24 * time.Hour) })
		}
		mustSync(t, a)
		checkHeld(t, c, m, a)
		if got := calls(c); got != "Enroll Renew" {
			t.Errorf("%s: got calls %q", name, got)
		}
	}
}

func TestRevokedAgentReportsTheReason(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	c.with(func() {
		for _, r := range c.records {
			r.revoked = true
		}
	})
	jump(c, m, birth.Add(60*24*time.Hour))
	_, err := a.Sync(t.Context())
	want := "renew the expired certificate: the collector refuses this agent: this agent's key was revoked"
	if err == nil || link.Explain(err) != want {
		t.Errorf("got %q, want %q", link.Explain(err), want)
	}
}

func TestAgentRefusesOtherAuthorities(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	identity, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	stranger := newCollector(t)
	identity.Collector = stranger.address
	if err := a.State.SetIdentity(identity); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Sync(t.Context()); err == nil || !strings.Contains(link.Explain(err), "does not trust the authority") {
		t.Errorf("got %q", link.Explain(err))
	}
	if len(stranger.received) > 0 {
		t.Error("it said something to a stranger")
	}
}

func TestCloneReceivesItsOwnKey(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	mustSync(t, a)
	was, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	c.with(func() { c.rekey = "in use on another machine" })
	report := mustSync(t, a)
	is, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if is.Key.Equal(was.Key) || is.AgentID == was.AgentID || is.Collector != was.Collector {
		t.Errorf("the identity before: %s, after: %s", was.AgentID, is.AgentID)
	}
	if len(report.Sections) != 3 {
		t.Errorf("got %v sent, want everything: the new record holds nothing", report.Sections)
	}
	last := c.received[len(c.received)-1]
	if len(last.GetToken()) > 0 || last.GetHello() == nil {
		t.Errorf("the new agent's check-in: got token %q and hello %v, want none of the old and a hello", last.GetToken(), last.GetHello())
	}
	checkHeld(t, c, m, a)
}
