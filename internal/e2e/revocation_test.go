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

// revoke revokes the agents of a device.
func (c *collector) revoke(t testing.TB, device string) {
	t.Helper()
	body := map[string]any{"reason": "stolen"}
	if status := c.call(t, http.MethodPost, "/api/v1/devices/"+device+"/revoke", body, nil); status != http.StatusOK {
		t.Fatalf("revoke: got status %d", status)
	}
}

// cutWithin bounds the time that a revoked agent stays connected.
const cutWithin = 30 * time.Second

// TestRevokedAgentIsCutOff: a running agent is disconnected, also if another collector handled the
// revocation. The collector accepts nothing from it afterwards.
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

	// A renewal is refused too, and no other agent is affected.
	if err := a.State.SetIdentity(certify(t, c.authority(t, d), identityOf(t, a), 30*day)); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, c, d, a, m, "this agent's key was revoked")
	neighbor.change()
	b.mustSync(t)
	checkEqual(t, c, b, neighbor)
}

// TestRevokedInTheMiddleOfASync: a sync that was in progress at the revocation is not applied.
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
	if message, err := s.receive(); err == nil || status.Code(err) != codes.PermissionDenied && status.Code(err) != codes.Aborted {
		t.Errorf("got %v, %v; want the conversation to be ended", message, err)
	}
	if got := d.versionOf(t, a.id(t)); got != version {
		t.Errorf("a revoked agent made %d changes", got-version)
	}
	m.restore(then)
	checkEqual(t, c, a, m)
	checkFeed(t, c, a.device, nil)
}
