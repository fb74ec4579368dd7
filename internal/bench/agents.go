package main

import (
	"encoding/json"
	"fmt"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/wire"
)

// agents make up what is said of the machines of an estate: those of the fleet, without their software.
type agents struct {
	fleet *fleet
	judge *ingest.Judge
}

func newAgents(seed uint64, judge *ingest.Judge) (*agents, error) {
	f, err := newFleet(seed, golden{})
	return &agents{f, judge}, err
}

// observed is what the agent of the n-th machine says of it, with the parts of it that are things of their own.
func (a *agents) observed(n int) (inventory.Observed, error) {
	hardware := a.fleet.hardwareOf(n, a.fleet.random(n))
	facts := map[string][]json.RawMessage{}
	for _, name := range reconcile.Sections() {
		section, ok := wire.Lookup(name)
		if !ok {
			return inventory.Observed{}, fmt.Errorf("there is no section %s", name)
		}
		for _, item := range hardware[name] {
			facts[name] = append(facts[name], section.AppendFacts(nil, item.ProtoReflect()))
		}
	}
	return reconcile.Observe(facts, a.judge.Honest), nil
}

// alone leaves out the parts of what is said of a machine.
func alone(o inventory.Observed) inventory.Observed {
	o.Parts = nil
	return o
}
