package e2e

import (
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/pki"
)

// authority opens the collector's authority, which needs the database and the master key.
func (c *collector) authority(t testing.TB, d *database) *pki.Authority {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	certificate := value[[]byte](t, d, `select certificate from certificate_authority`)
	sealed := value[[]byte](t, d, `select sealed_key from certificate_authority`)
	authority, err := pki.OpenAuthority(certificate, sealed, [32]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// certify returns the identity with a certificate of an authority that was issued the given time
// ago.
func certify(t testing.TB, authority *pki.Authority, identity state.Identity, ago time.Duration) state.Identity {
	t.Helper()
	const life = 7 * 24 * time.Hour
	der, err := authority.IssueAgent(&identity.Key.PublicKey, identity.AgentID, time.Now().Add(-ago), life)
	if err != nil {
		t.Fatal(err)
	}
	if identity.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	identity.Received = time.Now().Add(-ago)
	return identity
}

const day = 24 * time.Hour

// TestExpiredCertificateIsRenewed: an agent was offline for long. It connects without a
// certificate, signs a nonce, receives a new certificate, and syncs, whether or not its own clock
// shows that the old one has expired.
func TestExpiredCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	for name, received := range map[string]func(time.Time) time.Time{
		"its clock tells":        func(at time.Time) time.Time { return at },
		"its clock was put back": func(time.Time) time.Time { return time.Now() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			d, c, m := open(t, url), newCollector(t, url), newMachine(100, "S1")
			a := enroll(t, c, c.agents, m)
			a.mustSync(t)
			truth := [][]change{m.change()}
			identity := certify(t, c.authority(t, d), identityOf(t, a), 30*day)
			identity.Received = received(identity.Received)
			if err := a.State.SetIdentity(identity); err != nil {
				t.Fatal(err)
			}
			a.mustSync(t)
			renewed := identityOf(t, a)
			if !renewed.Certificate.NotAfter.After(time.Now().Add(6 * day)) {
				t.Errorf("the certificate is good until %v", renewed.Certificate.NotAfter)
			}
			if renewed.AgentID != identity.AgentID || !renewed.Key.Equal(identity.Key) {
				t.Error("the agent became another one")
			}
			checkEqual(t, c, a, m)
			checkFeed(t, c, a.device, truth)
			checkIncidents(t, d)
		})
	}
}

// TestCertificateThatExpiredTooLongAgo: 90 days after the expiry the agent must be enrolled again,
// and the error says so.
func TestCertificateThatExpiredTooLongAgo(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(101, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	d.exec(t, `update agent set certificate_expires_at = clock_timestamp() - interval '91 days'`)
	if err := a.State.SetIdentity(certify(t, c.authority(t, d), identityOf(t, a), 98*day)); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, c, d, a, m, "the agent's certificate expired too long ago: enroll it again")
}

// TestCertificateOfAnotherAuthority: a self-made certificate with the ID and even the name of a
// known agent is refused.
func TestCertificateOfAnotherAuthority(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(102, "S1")
	victim := enroll(t, c, c.agents, m)
	victim.mustSync(t)
	checkEqual(t, c, victim, m)

	stranger, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	identity := identityOf(t, victim)
	if identity.Key, err = pki.NewKey(); err != nil {
		t.Fatal(err)
	}
	intruder := resume(t, filepath.Join(t.TempDir(), "intruder"), newMachine(103, "S1"), "boot-1")
	if err := intruder.State.SetIdentity(certify(t, stranger, identity, 0)); err != nil {
		t.Fatal(err)
	}
	version := d.versionOf(t, victim.id(t))
	_, err = intruder.Sync(t.Context())
	if words := link.Explain(err); !strings.Contains(words, "this agent is not enrolled") {
		t.Errorf("got %q, want it to say that the agent is not enrolled", words)
	}
	if got := d.versionOf(t, victim.id(t)); got != version {
		t.Error("the intruder changed something")
	}
	checkEqual(t, c, victim, m)
	checkDevices(t, c, 1)
}

// checkRefused checks that an agent is refused with a clear error, and that the collector takes
// nothing from it.
func checkRefused(t testing.TB, c *collector, d *database, a *agent, m *machine, want string) {
	t.Helper()
	version, then := d.versionOf(t, a.id(t)), m.snapshot()
	m.change()
	_, err := a.Sync(t.Context())
	if words := link.Explain(err); !strings.Contains(words, want) {
		t.Errorf("got %q, want %q", words, want)
	}
	if status, err := a.State.Status(); err != nil || !strings.Contains(status.LastError, want) {
		t.Errorf("status: got %q, %v; want %q", status.LastError, err, want)
	}
	if got := d.versionOf(t, a.id(t)); got != version {
		t.Errorf("a refused agent made %d changes", got-version)
	}
	m.restore(then)
	checkEqual(t, c, a, m)
}
