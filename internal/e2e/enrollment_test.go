package e2e

import (
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/pki"
)

// TestNobodyEnrollsWithABadToken: each enrollment is refused with the reason, leaves no files, and
// creates no agent on the collector.
func TestNobodyEnrollsWithABadToken(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	good := c.ticket(t, nil)
	usedUp := c.ticket(t, map[string]any{"max_uses": 1})
	first := filepath.Join(t.TempDir(), "agent")
	if _, err := program(t, nil, "enroll", "--state", first, "--collector", c.agents, "--ca-pin", usedUp.CAPin, "--token", usedUp.Token); err != nil {
		t.Fatal(err)
	}
	expired := c.ticket(t, map[string]any{"expires_in": "1h"})
	d.exec(t, `update enrollment_token set expires_at = clock_timestamp() - interval '1 second' where id = $1`, expired.ID)
	revoked := c.ticket(t, nil)
	if status := c.call(t, http.MethodDelete, "/api/v1/enrollment-tokens/"+revoked.ID, nil, nil); status != http.StatusNoContent {
		t.Fatalf("revoke token: got status %d", status)
	}
	elsewhere := c.ticket(t, map[string]any{"network": "192.0.2.0/24"})
	stranger, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ token, pin, words string }{
		"unknown":           {pki.NewToken(pki.EnrollPrefix), good.CAPin, "the enrollment token is not known here"},
		"of the API":        {c.token, good.CAPin, "the enrollment token is not known here"},
		"used up":           {usedUp.Token, good.CAPin, "the enrollment token is used up"},
		"expired":           {expired.Token, good.CAPin, "the enrollment token has expired"},
		"revoked":           {revoked.Token, good.CAPin, "the enrollment token was revoked"},
		"for another place": {elsewhere.Token, good.CAPin, "the enrollment token may not be used from this network"},
		"with another pin":  {good.Token, stranger.Pin(), "does not match the CA pin"},
		"with half a pin":   {good.Token, good.CAPin[:20], "pin"},
	} {
		dir := filepath.Join(t.TempDir(), "agent")
		_, err := program(t, []string{"MUSTER_TOKEN=" + tc.token}, "enroll", "--state", dir, "--collector", c.agents, "--ca-pin", tc.pin)
		if err == nil || !strings.Contains(err.Error(), tc.words) {
			t.Errorf("%s: got %v, want %q", name, err, tc.words)
		}
		if exists(dir) {
			t.Errorf("%s: a refused agent left its state behind", name)
		}
		if _, err := program(t, nil, "sync", "--state", dir); err == nil || !strings.Contains(err.Error(), "not enrolled") {
			t.Errorf("%s: sync: got %v, want it to say that the machine is not enrolled", name, err)
		}
	}
	if got := value[int](t, d, `select count(*)::int from agent`); got != 1 {
		t.Errorf("got %d agents, want the one with the good token", got)
	}
	if got := value[int](t, d, `select uses from enrollment_token where id = $1`, good.ID); got != 0 {
		t.Errorf("a collector of another authority was told the token: got %d uses", got)
	}
}

// TestGuessingTokensIsSlow: an address with repeated failures must wait, even with a valid token.
// Other addresses need not.
func TestGuessingTokensIsSlow(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	c := newCollector(t, url)
	pin := c.ticket(t, nil).CAPin
	told := false
	for range 12 {
		dir := filepath.Join(t.TempDir(), "agent")
		_, err := program(t, []string{"MUSTER_TOKEN=" + pki.NewToken(pki.EnrollPrefix)}, "enroll", "--state", dir, "--collector", c.agents, "--ca-pin", pin)
		if err == nil {
			t.Fatal("a made-up token was good")
		}
		told = told || strings.Contains(err.Error(), "the collector is busy: too many failed enrollments")
	}
	if !told {
		t.Error("12 wrong tokens in a row, and nobody was told to wait")
	}
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere 127.0.0.2 is no address of this machine")
	}
	m, p := newMachine(90, "S1"), newProxy(t, c.agents)
	p.callFrom("127.0.0.2")
	other := enroll(t, c, p.address, m)
	other.mustSync(t)
	checkEqual(t, c, other, m)
}
