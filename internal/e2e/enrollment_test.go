package e2e

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/link"
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
	if got := value[int](t, d, `select (max_uses - sum(remaining))::integer from enrollment_token t join enrollment_token_uses on token_id = id where id = $1 group by id`, good.ID); got != 0 {
		t.Errorf("a collector of another authority was told the token: got %d uses", got)
	}
}

// TestWrongTokensSlowNobodyDown: while an address sends wrong tokens without a pause, the right
// tokens from it are accepted, and renewals too. The wrong ones cost no statement each.
func TestWrongTokensSlowNobodyDown(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	pin := c.ticket(t, nil).CAPin
	m := newMachine(90, "S1")
	a := enroll(t, c, c.agents, m)
	ctx, stop := context.WithCancel(t.Context())
	var guessing sync.WaitGroup
	var wrong atomic.Int64
	for range 20 {
		guessing.Go(func() {
			for ctx.Err() == nil {
				guess := link.Enrollment{Collector: c.agents, Token: pki.NewToken(pki.EnrollPrefix), Pin: pin}
				_, err := link.Enroll(ctx, guess, nil)
				switch {
				case ctx.Err() != nil:
				case err == nil || !strings.Contains(link.Explain(err), "is not known here"):
					t.Errorf("a made-up token: got %v, want to be told that it is not known", err)
					return
				default:
					wrong.Add(1)
				}
			}
		})
	}
	eventually(t, "wrong tokens", func() bool { return wrong.Load() >= 20 })
	for i := range 10 {
		enroll(t, c, c.agents, newMachine(uint64(91+i), fmt.Sprintf("N%d", i))).mustSync(t)
	}
	// A certificate past its half-life is renewed at the check-in.
	if err := a.State.SetIdentity(certify(t, c.authority(t, d), identityOf(t, a), 4*day)); err != nil {
		t.Fatal(err)
	}
	a.mustSync(t)
	checkEqual(t, c, a, m)
	stop()
	guessing.Wait()
	checkDevices(t, c, 11)
}
