package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/pgtest"
)

// revoke has the agents of a device refused.
func (c *collector) revoke(t testing.TB, device string) {
	t.Helper()
	body := map[string]any{"reason": "stolen"}
	if status := c.call(t, http.MethodPost, "/api/v1/devices/"+device+"/revoke", body, nil); status != http.StatusOK {
		t.Fatalf("revoke: got status %d", status)
	}
}

// cutWithin is how long the open conversation of a revoked agent may live on.
const cutWithin = 30 * time.Second

// TestRevokedAgentIsCutOff: the open conversation of a running agent ends, also where another collector was told, and
// whatever it tries afterwards, nothing of it is taken.
func TestRevokedAgentIsCutOff(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	other := newCollector(t, url, "--master-key-file", filepath.Join(c.dir, "master.key"))
	m, neighbor := newMachine(110, "S1"), newMachine(111, "S2")
	a, b := enroll(t, c, c.agents, m), enroll(t, c, c.agents, neighbor)
	b.mustSync(t)
	acknowledged := a.log.line("inventory acknowledged")
	stop := a.run(t)
	await(t, acknowledged)
	checkEqual(t, c, a, m)
	failed := a.log.line("check-in failed")
	began := time.Now()
	other.revoke(t, a.device)
	await(t, failed)
	if took := time.Since(began); took > cutWithin {
		t.Errorf("the conversation lived on for %v, want at most %v", took, cutWithin)
	}
	stop()
	checkRefused(t, c, d, a, m, "this agent's key was revoked")

	// Not by a renewal either, nor is anybody else concerned.
	if err := a.State.SetIdentity(certify(t, c.authority(t, d), identityOf(t, a), 30*day)); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, c, d, a, m, "this agent's key was revoked")
	neighbor.change()
	b.mustSync(t)
	checkEqual(t, c, b, neighbor)
}

// TestRevokedInTheMiddleOfASync: what an agent had begun to say when it was revoked is not taken.
func TestRevokedInTheMiddleOfASync(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(112, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	checkEqual(t, c, a, m)
	version, then := d.versionOf(t, a.id(t)), m.snapshot()
	s := converse(t, c, identityOf(t, a), m)
	m.change()
	s.say(t, s.checkIn(t, a.State.Token()))
	wanted := s.hearWant(t).GetSections()
	c.revoke(t, a.device)
	for _, section := range wanted {
		s.say(t, updateMessage(s.whole(t, section.GetSection())))
	}
	s.say(t, commitMessage())
	if message, err := s.hear(); err == nil || status.Code(err) != codes.PermissionDenied && status.Code(err) != codes.Aborted {
		t.Errorf("got %v, %v; want the conversation to be ended", message, err)
	}
	if got := d.versionOf(t, a.id(t)); got != version {
		t.Errorf("a revoked agent made %d changes", got-version)
	}
	m.restore(then)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, nil)
}
