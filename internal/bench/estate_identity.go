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
	identityGroup   = 64  // machines that the collector takes in at a time, at most
	identityMany    = 512 // machines of a measurement in such groups
	identitySingles = 128 // machines of one that takes them one by one
)

// measureIdentity measures what it costs to find out which CI a machine is, without what its inventory costs otherwise.
func (e *estate) measureIdentity(ctx context.Context) error {
	next, err := e.warmUp(ctx)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		id, name        string
		machines, group int
		make            func(context.Context, int) (inventory.Observation, error)
		ordered         bool
	}{
		{"identity_single", "a new machine, one by one", identitySingles, 1, e.newMachine, false},
		{"identity", "new machines", identityMany, identityGroup, e.newMachine, false},
		{"identity_parts", "new machines with parts", identityMany, identityGroup, e.newMachineWithParts, false},
		{"identity_ordered", "new machines that were ordered", identityMany, identityGroup, e.newMachine, true},
	} {
		if part.ordered {
			if err := e.measureOrders(ctx, next, part.machines); err != nil {
				return err
			}
		}
		observations, err := observationsOf(ctx, next, part.machines, part.make)
		if err != nil {
			return err
		}
		next += part.machines
		if err := e.measureObservations(ctx, part.id, part.name, observations, part.group); err != nil {
			return err
		}
		if part.id != "identity_parts" {
			continue
		}
		if err := e.measureObservations(ctx, "identity_unchanged_parts", "unchanged machines with parts", observations, part.group); err != nil {
			return err
		}
	}
	if err := e.measureKnown(ctx); err != nil {
		return err
	}
	return e.measureSimulation(ctx)
}

// measureSimulation measures what it takes to place everything by other rules: by those in force, under another version.
func (e *estate) measureSimulation(ctx context.Context) error {
	e.progress.stepf(0, "identity: simulating other rules")
	memory := newHeapMeter()
	memory.begin()
	began := time.Now()
	answer, err := e.store.Simulate(ctx, []byte(`{"version": "other"}`))
	if err != nil {
		return err
	}
	memory.sample()
	e.report.add("identity_simulated", time.Since(began).Seconds(), fmt.Sprintf("%d records, %d merges, %d splits; heap +%.0f MiB at the end",
		answer.Records, len(answer.Merges), len(answer.Splits), float64(memory.growth())/(1<<20)))
	return nil
}

// warmUp has the database plan and cache what it has planned and cached in a collector that has run for a while. It gives
// the number of the next new machine.
func (e *estate) warmUp(ctx context.Context) (next int, err error) {
	next = e.estateMachines
	e.progress.stepf(0, "identity: warming up")
	for _, group := range []int{1, identityGroup} {
		for range 10 {
			observations, err := observationsOf(ctx, next, group, e.newMachineWithParts)
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

// measureKnown measures machines that were there before.
func (e *estate) measureKnown(ctx context.Context) error {
	for i, part := range []struct {
		id, name        string
		machines, group int
		make            func(context.Context, int) (inventory.Observation, error)
	}{
		{"identity_unchanged", "unchanged machines", identityMany, identityGroup, e.known},
		{"identity_changed", "machines with another MAC address", identityMany, identityGroup, e.knownWithNewCard},
		{"identity_changed_single", "a machine with another MAC address, one by one", identitySingles, 1, e.knownWithNewCard},
	} {
		first := (1 + i) * e.estateMachines / 4
		observations, err := observationsOf(ctx, first, part.machines, part.make)
		if err != nil {
			return err
		}
		if err := e.measureObservations(ctx, part.id, part.name, observations, part.group); err != nil {
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

func (e *estate) measureObservations(ctx context.Context, id, name string, observations []inventory.Observation, group int) error {
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

// newMachine is what an agent says that has just been enrolled.
func (e *estate) newMachine(ctx context.Context, n int) (inventory.Observation, error) {
	t, err := e.newMachineWithParts(ctx, n)
	t.Observed = alone(t.Observed)
	return t, err
}

func (e *estate) newMachineWithParts(ctx context.Context, n int) (t inventory.Observation, err error) {
	if t.Observed, err = e.agents.observed(n); err != nil {
		return t, err
	}
	key := sha256.Sum256([]byte(machineKey(n)))
	err = e.database.session.QueryRow(ctx, `
		insert into source_record (source, native_key, base_class) values ($1, $2, $3) returning id`, sourceAgent, key[:], classComputer).Scan(&t.Record)
	if err != nil {
		return t, fmt.Errorf("enroll machine %d: %w", n, err)
	}
	return t, nil
}

// known is what a machine that was there before says, which is the same as ever.
func (e *estate) known(_ context.Context, n int) (inventory.Observation, error) {
	reported, err := e.agents.observed(n)
	return inventory.Observation{Record: e.places[n].record, Observed: alone(reported)}, err
}

func (e *estate) knownWithNewCard(ctx context.Context, n int) (inventory.Observation, error) {
	t, err := e.known(ctx, n)
	if err != nil {
		return t, err
	}
	card := &t.Observed.Identifiers.Interfaces[0]
	card.MAC = mac(e.agents.fleet.random(-2 - n))
	card.Permanent = card.MAC
	return t, nil
}

// measureOrders measures a purchase list of machines that nobody has seen yet.
func (e *estate) measureOrders(ctx context.Context, first, count int) error {
	orders, err := e.orders(first, count)
	if err != nil {
		return err
	}
	spent, err := e.work(ctx, "identity: purchase orders", count, func() error {
		_, err := e.store.TakeRecords(ctx, orders, false)
		return err
	})
	if err == nil {
		e.report.add("identity_order", spent.cpu(), shares(spent))
	}
	return err
}

// orders are those of some machines, as a purchase list tells of them.
func (e *estate) orders(first, count int) ([]inventory.ImportRecord, error) {
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
