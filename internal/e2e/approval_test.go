package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// enrollWith enrolls a machine that claims a serial number, with a token that has more settings.
func enrollWith(t testing.TB, c *collector, m *machine, serial string, more map[string]any) (*agent, error) {
	t.Helper()
	ticket := c.ticket(t, more)
	identity, err := link.Enroll(t.Context(), link.Enrollment{
		Collector: c.agents, Token: ticket.Token, Pin: ticket.CAPin, SerialNumber: serial, Hostname: "pc-" + serial,
	}, nil)
	if err != nil {
		return nil, err
	}
	a := resume(t, filepath.Join(t.TempDir(), "agent"), m, "boot-1")
	return a, a.State.SetIdentity(identity)
}

// agents lists the agents in a state, by their claimed serial numbers.
func (c *collector) agentsIn(t testing.TB, state string) map[string]inventory.Agent {
	t.Helper()
	var page struct {
		Items []inventory.Agent `json:"items"`
	}
	if status := c.call(t, http.MethodGet, "/api/v1/agents?state="+state, nil, &page); status != http.StatusOK {
		t.Fatalf("list agents: got status %d", status)
	}
	bySerial := map[string]inventory.Agent{}
	for _, a := range page.Items {
		bySerial[a.SerialNumber] = a
	}
	return bySerial
}

func (c *collector) decide(t testing.TB, agentID, verb string, want int) {
	t.Helper()
	body := map[string]any{"reason": "a test"}
	if status := c.call(t, http.MethodPost, "/api/v1/agents/"+agentID+"/"+verb, body, nil); status != want {
		t.Fatalf("%s: got status %d, want %d", verb, status, want)
	}
}

// TestNothingIsAppliedBeforeApproval: agents that enrolled with a token of manual approval wait
// until a person approves or refuses them.
func TestNothingIsAppliedBeforeApproval(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	manual := map[string]any{"approval": "manual"}
	good, bad := newMachine(120, "S1"), newMachine(121, "S2")
	a, err := enrollWith(t, c, good, "S1", manual)
	if err != nil {
		t.Fatal(err)
	}
	b, err := enrollWith(t, c, bad, "S2", manual)
	if err != nil {
		t.Fatal(err)
	}
	for _, waiting := range []*agent{a, b} {
		if _, err := waiting.Sync(t.Context()); status.Code(err) != codes.PermissionDenied || !strings.Contains(link.Explain(err), "approves") {
			t.Errorf("before approval: %v", err)
		}
	}
	if n := value[int](t, d, `select count(*)::int from item_set`) + value[int](t, d, `select count(*)::int from ci`); n != 0 {
		t.Errorf("%d rows were applied before approval", n)
	}
	pending := c.agentsIn(t, "pending")
	if len(pending) != 2 || pending["S1"].Hostname != "pc-S1" || pending["S1"].Address == "" {
		t.Errorf("pending agents: %+v", pending)
	}
	c.decide(t, pending["S1"].AgentID, "approve", http.StatusOK)
	c.decide(t, pending["S2"].AgentID, "refuse", http.StatusOK)
	c.decide(t, pending["S2"].AgentID, "approve", http.StatusConflict)
	c.decide(t, pending["S1"].AgentID, "refuse", http.StatusConflict)
	a.mustSync(t)
	checkEqual(t, c, a, good)
	if _, err := b.Sync(t.Context()); status.Code(err) != codes.PermissionDenied {
		t.Errorf("after the refusal: %v", err)
	}
	if got := c.agentsIn(t, "approved"); len(got) != 1 || got["S1"].ApprovedBy != "admin" || got["S1"].Device != a.device {
		t.Errorf("approved agents: %+v", got)
	}
	if got := c.agentsIn(t, "refused"); len(got) != 1 || got["S2"].RevokedBy != "admin" || got["S2"].RevokeReason != "a test" {
		t.Errorf("refused agents: %+v", got)
	}
}

// TestExpectedSerialNumbers: a token may be for known machines. Case and spaces do not matter.
func TestExpectedSerialNumbers(t *testing.T) {
	t.Parallel()
	c := newCollector(t, pgtest.New(t))
	only := map[string]any{"serial_numbers": []string{"CZ3J 3000AB", "s2"}}
	for serial, expected := range map[string]bool{"cz3j  3000ab": true, "S2": true, "S3": false, "": false} {
		_, err := enrollWith(t, c, newMachine(122, "S"), serial, only)
		if expected != (err == nil) || err != nil && !strings.Contains(link.Explain(err), "other serial numbers") {
			t.Errorf("%q: %v", serial, err)
		}
	}
}

// rekeyAs asks for a new key as the agent of an identity.
func rekeyAs(t testing.TB, c *collector, identity state.Identity) error {
	t.Helper()
	config, err := pki.ClientTLS(identity.Authorities, identity.TLS(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient("dns:///"+c.agents, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = inventoryv1.NewInventoryClient(connection).Rekey(t.Context(), &inventoryv1.RekeyRequest{Csr: csr})
	return err
}

// TestNewKeyOnlyForAClone: an agent gets a new key only as the answer to a clone that the collector
// found, and only once.
func TestNewKeyOnlyForAClone(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	a := enroll(t, c, c.agents, newMachine(123, "S1"))
	a.mustSync(t)
	if err := rekeyAs(t, c, identityOf(t, a)); status.Code(err) != codes.PermissionDenied {
		t.Errorf("nobody asked for a new key: %v", err)
	}
	d.exec(t, `insert into sync_incident (record_id, at, type, detail) select record_id, clock_timestamp(), 'clone', '{}' from agent`)
	if err := rekeyAs(t, c, identityOf(t, a)); err != nil {
		t.Errorf("the collector found a clone: %v", err)
	}
	if err := rekeyAs(t, c, identityOf(t, a)); status.Code(err) != codes.PermissionDenied {
		t.Errorf("the clone has its key: %v", err)
	}
}

// TestRevocationReachesTheLineage: with an agent, all that were forked from it are revoked. Streams
// end that never said anything, and the last_seen of a revoked agent does not move.
func TestRevocationReachesTheLineage(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	original, copied := newMachine(124, "S1"), newMachine(125, "S2")
	a := enroll(t, c, c.agents, original)
	a.mustSync(t)
	b := resume(t, copyState(t, a.dir), copied, "boot-of-the-copy")
	original.change()
	a.run(t)
	d.awaitVersion(t, a.id(t), 2)
	b.mustSync(t)
	silent := converse(t, c, identityOf(t, b), copied)
	before := identityOf(t, b)
	d.exec(t, `insert into sync_incident (record_id, at, type, detail) select record_id, clock_timestamp(), 'clone', '{}' from agent`)

	c.decide(t, a.id(t), "revoke", http.StatusOK)
	if message, err := silent.receive(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("the silent stream of the fork: %v, %v", message, err)
	}
	checkRefused(t, c, d, b, copied, "this agent's key was revoked")
	if err := rekeyAs(t, c, before); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a revoked fork got a new key: %v", err)
	}
	if got := value[int](t, d, `select count(*)::int from agent where revoked_at is null`); got != 0 {
		t.Errorf("%d agents of the lineage are not revoked", got)
	}
	if late := value[int](t, d, `
		select count(*)::int from presence p join agent a on a.record_id = p.record_id where p.seen_at > a.revoked_at`); late != 0 {
		t.Errorf("%d revoked agents were seen after their revocation", late)
	}
}

// TestClonesThatTakeTurns: two copies of one machine with equal hardware, of which one runs at a
// time. The token that a rollback abandoned comes back: the machine was not rolled back, it is a
// copy.
func TestClonesThatTakeTurns(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c := open(t, url), newCollector(t, url)
	m := newMachine(126, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	copied := copyState(t, a.dir)
	for range 2 {
		m.change()
		a.mustSync(t)
	}
	d.awaitGone(t)
	other := newMachine(126, "S1")
	b := resume(t, copied, other, "boot-of-the-copy")
	b.mustSync(t)
	checkIncidents(t, d, "rollback")
	d.awaitGone(t)

	m.change()
	a.mustSync(t)
	checkIncidents(t, d, "rollback", "clone")
	if a.id(t) == b.id(t) {
		t.Error("two machines still report as one agent")
	}
	checkEqual(t, c, a, m)
	checkEqual(t, c, b, other)
	checkDevices(t, c, 2)
}
