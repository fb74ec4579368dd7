package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
)

const (
	identityGroup   = 64  // maximum of machines in a group of the collector
	identityMany    = 512 // machines per measurement in groups
	identitySingles = 128 // machines per measurement one by one
)

// measureIdentity measures the resolution of machines to CIs, without the rest of an inventory.
func (e *cmdb) measureIdentity(ctx context.Context) error {
	next, err := e.warmUp(ctx)
	if err != nil {
		return err
	}
	if err := e.measureNew(ctx, next); err != nil {
		return err
	}
	if err := e.measureKnown(ctx); err != nil {
		return err
	}
	return e.measureSimulation(ctx)
}

// identityPart is a measurement of machines in groups. unchanged is the id of its repetition.
type identityPart struct {
	id, name  string
	group     int
	make      func(context.Context, int) (inventory.Observation, error)
	unchanged string
	ordered   bool // a purchase list precedes the machines
}

func (p identityPart) machines() int {
	if p.group == 1 {
		return identitySingles
	}
	return identityMany
}

// measureNew measures machines that are not in the CMDB, from a number on.
func (e *cmdb) measureNew(ctx context.Context, next int) error {
	for _, part := range []identityPart{
		{id: "identity_single", name: "a new machine, one by one", group: 1, make: e.newMachine},
		{id: "identity", name: "new machines", group: identityGroup, make: e.newMachine},
		{
			id: "identity_components", name: "new machines with components", group: identityGroup,
			make: e.newMachineWithComponents, unchanged: "identity_unchanged_components",
		},
		{
			id: "identity_ordered", name: "new machines that were ordered", group: identityGroup,
			make: e.newMachine, ordered: true,
		},
	} {
		if part.ordered {
			if err := e.measureOrders(ctx, next, part.machines()); err != nil {
				return err
			}
		}
		if err := e.measureObservations(ctx, part, next); err != nil {
			return err
		}
		next += part.machines()
	}
	return nil
}

// measureSimulation measures assigning all records under another version of the same rules.
func (e *cmdb) measureSimulation(ctx context.Context) error {
	e.progress.stepf(0, "identity: simulating other rules")
	memory := newHeapMeter()
	memory.begin()
	began := time.Now()
	answer, err := e.store.Simulate(ctx, []byte(`{"version": "other"}`))
	if err != nil {
		return err
	}
	memory.sample()
	e.report.add("identity_simulated", time.Since(began).Seconds(), fmt.Sprintf(
		"%d records, %d merges, %d splits; heap +%.0f MiB at the end",
		answer.Records, len(answer.Merges), len(answer.Splits), float64(memory.growth())/(1<<20)))
	return nil
}

// warmUp fills the caches of the database, as in a collector that has run for a while. It returns
// the number of the next new machine.
func (e *cmdb) warmUp(ctx context.Context) (next int, err error) {
	next = e.cmdbMachines
	e.progress.stepf(0, "identity: warming up")
	for _, group := range []int{1, identityGroup} {
		for range 10 {
			observations, err := observationsOf(ctx, next, group, e.newMachineWithComponents)
			if err != nil {
				return 0, err
			}
			if _, err := e.store.Resolve(ctx, observations); err != nil {
				return 0, err
			}
			next += group
		}
	}
	return next, e.database.exec(ctx, `vacuum (analyze)`)
}

// measureKnown measures machines that are in the CMDB.
func (e *cmdb) measureKnown(ctx context.Context) error {
	for i, part := range []identityPart{
		{id: "identity_unchanged", name: "unchanged machines", group: identityGroup, make: e.known},
		{
			id: "identity_changed", name: "machines with a new MAC address", group: identityGroup,
			make: e.knownWithNewCard,
		},
		{
			id: "identity_changed_single", name: "a machine with a new MAC address, one by one", group: 1,
			make: e.knownWithNewCard,
		},
	} {
		if err := e.measureObservations(ctx, part, (1+i)*e.cmdbMachines/4); err != nil {
			return err
		}
	}
	return nil
}

func observationsOf(
	ctx context.Context, first, count int, from func(context.Context, int) (inventory.Observation, error),
) (list []inventory.Observation, err error) {
	for n := first; n < first+count; n++ {
		t, err := from(ctx, n)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// measureObservations measures a part for the machines from a number on.
func (e *cmdb) measureObservations(ctx context.Context, part identityPart, first int) error {
	observations, err := observationsOf(ctx, first, part.machines(), part.make)
	if err != nil {
		return err
	}
	if err := e.resolveGroups(ctx, part.id, part.name, observations, part.group); err != nil || part.unchanged == "" {
		return err
	}
	return e.resolveGroups(ctx, part.unchanged, "the same again", observations, part.group)
}

func (e *cmdb) resolveGroups(
	ctx context.Context, id, name string, observations []inventory.Observation, group int,
) error {
	spent, err := e.work(ctx, "identity: "+name, len(observations), func() error {
		for from := 0; from < len(observations); from += group {
			if _, err := e.store.Resolve(ctx, observations[from:from+group]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		e.report.add(id, spent.cpu(), shares(spent))
	}
	return err
}

// newMachine returns the observation of a machine that has just been enrolled.
func (e *cmdb) newMachine(ctx context.Context, n int) (inventory.Observation, error) {
	t, err := e.newMachineWithComponents(ctx, n)
	t.Observed = alone(t.Observed)
	return t, err
}

func (e *cmdb) newMachineWithComponents(ctx context.Context, n int) (t inventory.Observation, err error) {
	if t.Observed, err = e.agents.observed(n); err != nil {
		return t, err
	}
	key := sha256.Sum256([]byte(machineKey(n)))
	err = e.database.session.QueryRow(ctx, `
		insert into source_record (source, native_key, base_class) values ($1, $2, $3) returning id`,
		sourceAgent, key[:], classComputer).Scan(&t.Record)
	if err != nil {
		return t, fmt.Errorf("enroll machine %d: %w", n, err)
	}
	return t, nil
}

// known returns the observation of a machine in the CMDB without changes.
func (e *cmdb) known(_ context.Context, n int) (inventory.Observation, error) {
	reported, err := e.agents.observed(n)
	return inventory.Observation{Record: e.assignments[n].record, Observed: alone(reported)}, err
}

func (e *cmdb) knownWithNewCard(ctx context.Context, n int) (inventory.Observation, error) {
	t, err := e.known(ctx, n)
	if err != nil {
		return t, err
	}
	card := &t.Observed.Identifiers.Interfaces[0]
	card.MAC = mac(e.agents.fleet.random(-2 - n))
	card.Permanent = card.MAC
	return t, nil
}

// measureOrders measures a purchase list of machines that no agent has reported.
func (e *cmdb) measureOrders(ctx context.Context, first, count int) error {
	orders, err := e.orders(first, count)
	if err != nil {
		return err
	}
	spent, err := e.work(ctx, "identity: purchase orders", count, func() error {
		_, err := e.store.TakeRecords(ctx, orders, inventory.Actor{}, false)
		return err
	})
	if err == nil {
		e.report.add("identity_order", spent.cpu(), shares(spent))
	}
	return err
}

// orders returns the rows of a purchase list.
func (e *cmdb) orders(first, count int) ([]inventory.ImportRecord, error) {
	orders := make([]inventory.ImportRecord, count)
	for i := range orders {
		reported, err := e.agents.observed(first + i)
		if err != nil {
			return nil, err
		}
		attributes := inventory.Attributes{
			"purchase_order": "PO-" + strconv.Itoa(i/identityGroup), "purchase_date": time.Now().Format(time.DateOnly),
			"manufacturer": reported.Attributes["manufacturer"], "serial_number": reported.Attributes["serial_number"],
		}
		orders[i] = inventory.ImportRecord{
			Source: "csv:purchases", NativeKey: fmt.Sprint(attributes["serial_number"]),
			Observed: inventory.Observed{
				Class: reported.Class, Attributes: attributes, Partial: true,
				Identifiers: reconcile.IdentifiersOf("computer", attributes),
			},
		}
	}
	return orders, nil
}
