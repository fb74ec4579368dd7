package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
)

// made returns made-up packages from one number to another.
func made(from, to int) []proto.Message {
	var items []proto.Message
	for i := from; i < to; i++ {
		items = append(items, pkg(fmt.Sprintf("made-up-%d", i), "1"))
	}
	return items
}

func (e *fixture) catalog(t *testing.T) (n int) {
	t.Helper()
	if err := e.Pool.QueryRow(t.Context(), `select count(*) from item`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (e *fixture) quotaIncidents(t *testing.T) (n int) {
	t.Helper()
	err := e.Pool.QueryRow(t.Context(), `select count(*) from sync_incident where type = 'quota'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestQuotaOfNewItems: beyond the quota, an agent's new items are rejected with a verdict and the
// rest is applied. Items that others have are not new. Another agent has its own quota. The section
// is requested whole with the next change, so that what was rejected comes again.
func TestQuotaOfNewItems(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	common := made(0, 150)
	mustObserve(t, e.enroll(t), software(inventory.StatusOK, common...))
	limited, err := ingest.New(e.Store, ingest.Options{NewItemsPerDay: 100})
	if err != nil {
		t.Fatal(err)
	}
	runIngester(t, limited)
	e.ingester = limited

	flood := e.enroll(t)
	result := mustObserve(t, flood, software(inventory.StatusOK, append(made(1000, 1300), common...)...))
	if got := len(flood.held(t, "software", time.Time{})); got != 250 {
		t.Errorf("%d programs held, want the 150 known ones and 100 new ones", got)
	}
	if got := e.catalog(t); got != 250 {
		t.Errorf("%d items in the catalog, want 250", got)
	}
	last := result.Verdicts[len(result.Verdicts)-1]
	if v := result.Verdicts[0]; v.Outcome != inventory.OutcomeRejected || !strings.Contains(v.Item, "made-up-1100") ||
		!strings.Contains(v.Reason, "today") || !strings.Contains(last.Reason, "more items") {
		t.Errorf("got the verdicts %+v to %+v", v, last)
	}
	for wave := range 3 { // as deltas and whole
		result = mustObserve(t, flood, software(inventory.StatusOK, append(made(2000+100*wave, 2100+100*wave), common...)...))
		if len(result.Verdicts) != 100 {
			t.Errorf("wave %d: %d verdicts, want 100", wave, len(result.Verdicts))
		}
	}
	if got := e.catalog(t); got != 250 {
		t.Errorf("%d items in the catalog after three more waves, want 250", got)
	}
	if got := e.quotaIncidents(t); got != 1 {
		t.Errorf("%d incidents, want one a day", got)
	}

	honest := e.enroll(t)
	mustObserve(t, honest, software(inventory.StatusOK, append(made(3000, 3020), common...)...))
	if got := len(honest.held(t, "software", time.Time{})); got != 170 {
		t.Errorf("another agent: %d programs held, want all 170", got)
	}

	// The next day, and without a restart of the agent, it is taken.
	if e.ingester, err = ingest.New(e.Store, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	runIngester(t, e.ingester)
	mustObserve(t, flood, software(inventory.StatusOK, append(made(2200, 2300), common[:149]...)...))
	if got := len(flood.held(t, "software", time.Time{})); got != 249 {
		t.Errorf("the next day: %d programs held, want all 249", got)
	}
}
