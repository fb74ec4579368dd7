package ingest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestMachinesOfOneNetwork: any number of machines is on a network, and it is one CI. Another one
// with the same addresses has another gateway.
func TestMachinesOfOneNetwork(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	on := func(n int, gateway string) []string {
		h := laptop(n)
		reported := h.report()
		card, _ := reported["network_interface"].items[0].(*inventoryv1.NetworkInterface)
		card.Addresses, card.Gateways, card.GatewayMacs = []string{"192.168.1.17/24"}, []string{"192.168.1.1"}, []string{gateway}
		m := e.enroll(t)
		mustObserve(t, m, reported)
		return e.related(t, m.mustRecord(t).CI, "member_of", time.Time{})
	}
	office := on(1, "00:25:9c:00:00:01")
	e.silence(t, 2*time.Hour) // switched off, it is still on its network
	for n := range 4 {
		if got := on(2+n, "00:25:9c:00:00:01"); len(got) != 1 || !slices.Equal(got, office) {
			t.Errorf("machine %d is on %v, the first one on %v", 2+n, got, office)
		}
	}
	if home := on(6, "00:25:9c:00:00:02"); len(home) != 1 || slices.Equal(home, office) {
		t.Errorf("at home it is on %v", home)
	}
	if n := e.count(t, "network"); n != 2 {
		t.Errorf("%d networks", n)
	}
	if members := e.related(t, office[0], "member_of", time.Time{}); len(members) != 5 {
		t.Errorf("%d machines are on the network of the office", len(members))
	}
}

// silence moves the last observation of every record into the past.
func (e *fixture) silence(t testing.TB, since time.Duration) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), e.url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `
		with present as (update presence set seen_at = seen_at - $1::interval)
		update source_record set seen_at = seen_at - $1::interval, created_at = created_at - $1::interval`, since)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}
