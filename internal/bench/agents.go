package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/wire"
)

// agents make up observations of the machines of the fleet, without their software.
type agents struct {
	fleet *fleet
	rules *identify.Rules
}

func newAgents(seed uint64, rules *identify.Rules) (*agents, error) {
	f, err := newFleet(seed, golden{}, highSimilarity)
	return &agents{f, rules}, err
}

// observed returns what the agent of the n-th machine observes, with its components.
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
	return reconcile.Observe(facts, a.rules.IsHonest), nil
}

// alone removes the components from an observation.
func alone(o inventory.Observed) inventory.Observed {
	o.Components = nil
	return o
}

// computer returns the n-th machine.
func (a *agents) computer(n int, since time.Time) (ciData, error) {
	reported, err := a.observed(n)
	return ciData{
		source: sourceAgent, key: machineKey(n), baseClass: classComputer, since: since, reported: alone(reported),
	}, err
}

func machineKey(n int) string { return "machine " + strconv.Itoa(n) }

// Constants of the store.
const (
	sourceAgent     = "agent"
	sourceDiscovery = "discovery"
	classComputer   = "computer"
)
