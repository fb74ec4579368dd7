package main

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m, store.Migrate) }

// testCMDB returns an empty CMDB in a database of the test.
func testCMDB(t *testing.T) *cmdb {
	t.Helper()
	url := pgtest.New(t)
	session, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close(context.WithoutCancel(t.Context())) })
	e := &cmdb{bench: &bench{}, meters: meters{database: &database{session: session}}}
	e.rules = identify.Default()
	if e.agents, err = newAgents(1, e.rules); err != nil {
		t.Fatal(err)
	}
	if e.filled, err = newFilling(t.Context(), session, e.rules); err != nil {
		t.Fatal(err)
	}
	e.store, err = store.Open(t.Context(), url, store.Options{
		MaxConns: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.store.Close)
	return e
}

// contents returns the records and their CIs, without ids, times and presence.
func (e *cmdb) contents(t *testing.T) []string {
	t.Helper()
	rows, err := e.database.session.Query(t.Context(), `
		select jsonb_build_object('record', r.id, 'base_class', r.base_class, 'identifiers', e.identifiers,
			'last', e.last_seen, 'rejected', e.rejected, 'observed', v.attributes, 'observed_class', v.class,
			'is_primary', m.is_primary, 'is_default', m.ci_id = r.default_ci,
			'liveness_dependent', r.liveness_dependent,
			'attributes', c.attributes, 'class', c.class, 'name', c.name, 'device', c.device,
			'provenance', c.provenance,
			'rule', d.rule, 'action', d.action)::text
		from source_record r
		join evidence e on e.record_id = r.id
		join record_version v on v.record_id = r.id
		join assignment m on m.record_id = r.id
		join ci_version c on c.ci_id = m.ci_id
		join identity_decision d on d.record_id = r.id
		order by r.id`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestFillingIsWhatTheStoreWrites compares filled machines with machines that the store resolved.
func TestFillingIsWhatTheStoreWrites(t *testing.T) {
	t.Parallel()
	const count = 20
	reported, filled := testCMDB(t), testCMDB(t)
	observations, err := observationsOf(t.Context(), 0, count, reported.newMachine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reported.store.Resolve(t.Context(), observations); err != nil {
		t.Fatal(err)
	}
	var cis []ciData
	for n := range count {
		one, err := filled.agents.computer(n, time.Now().Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		cis = append(cis, one)
	}
	if filled.assignments, err = filled.filled.add(t.Context(), cis); err != nil {
		t.Fatal(err)
	}
	want := reported.contents(t)
	if diff := cmp.Diff(want, filled.contents(t)); diff != "" || len(want) != count {
		t.Errorf("filled with %d machines (-want +got):\n%s", len(want), diff)
	}

	if observations, err = observationsOf(t.Context(), 0, count, filled.known); err != nil {
		t.Fatal(err)
	}
	if _, err := filled.store.Resolve(t.Context(), observations); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, filled.contents(t)); diff != "" {
		t.Errorf("an unchanged machine changed the CMDB (-want +got):\n%s", diff)
	}
}

// TestOrderIsTheMachineThatReports resolves ordered machines to the CIs of their orders.
func TestOrderIsTheMachineThatReports(t *testing.T) {
	t.Parallel()
	const count = 5
	e := testCMDB(t)
	orders, err := e.orders(0, count)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := e.store.TakeRecords(t.Context(), orders, inventory.Actor{}, false)
	if err != nil {
		t.Fatal(err)
	}
	observations, err := observationsOf(t.Context(), 0, count, e.newMachine)
	if err != nil {
		t.Fatal(err)
	}
	assignments, err := e.store.Resolve(t.Context(), observations)
	if err != nil {
		t.Fatal(err)
	}
	for i, outcome := range outcomes {
		if got := assignments[observations[i].Record].CI; got != outcome.CI || got == "" || outcome.Problem != "" {
			t.Errorf("machine %d is %s, was ordered as %s %s", i, got, outcome.CI, outcome.Problem)
		}
	}
}

// TestMachinesIdentifyThemselves looks for rejected and shared identifiers.
func TestMachinesIdentifyThemselves(t *testing.T) {
	t.Parallel()
	const machines = 200
	rules := identify.Default()
	a, err := newAgents(1, rules)
	if err != nil {
		t.Fatal(err)
	}
	holders := map[inventory.Identifier]int{}
	for n := range machines {
		reported, err := a.observed(n)
		if err != nil {
			t.Fatal(err)
		}
		identifiers, rejected := rules.Normalize(reported.Identifiers)
		if len(identifiers) != 9 {
			t.Errorf("machine %d has %v", n, identifiers)
		}
		for _, r := range rejected {
			if r.Pattern != "repeats-serial" {
				t.Errorf("machine %d: %s %q is rejected: %s", n, r.Kind, r.Value, r.Pattern)
			}
		}
		for _, part := range reported.Components {
			found, rejected := rules.Normalize(part.Identifiers)
			if len(found) == 0 || len(rejected) > 0 {
				t.Errorf("machine %d: the %s has %v, rejected %v", n, part.Class, found, rejected)
			}
		}
		for _, identifier := range identifiers {
			if before, ok := holders[identifier]; ok {
				t.Errorf("machines %d and %d both have %s", before, n, identifier)
			}
			holders[identifier] = n
		}
	}
}

func TestForeignInventoryIsOneMachine(t *testing.T) {
	t.Parallel()
	e := testCMDB(t)
	var err error
	if e.ingester, err = ingest.New(e.store, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { e.ingester.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	file := glpiInventory(1, 10)
	for _, outcome := range []string{"created", "unchanged"} {
		if err := e.load(t.Context(), file, outcome); err != nil {
			t.Error(err)
		}
	}
	if err := e.load(t.Context(), glpiInventory(2, 10), "created"); err != nil {
		t.Error(err)
	}
}

func TestResolveConcurrently(t *testing.T) {
	t.Parallel()
	const machines = 12
	e := testCMDB(t)
	observations, err := observationsOf(t.Context(), 0, machines, e.newMachineWithComponents)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.resolveConcurrently(t.Context(), observations, 2, 3); err != nil {
		t.Fatal(err)
	}
	cis := map[string]bool{}
	for _, o := range observations {
		assigned, err := e.store.Resolve(t.Context(), []inventory.Observation{o})
		if err != nil {
			t.Fatal(err)
		}
		cis[assigned[o.Record].CI] = true
	}
	if len(cis) != machines {
		t.Errorf("%d machines are %d CIs", machines, len(cis))
	}
	observations[0].Record = -1
	if err := e.resolveConcurrently(t.Context(), observations, 2, 3); err == nil {
		t.Error("an unknown record was resolved")
	}
}
