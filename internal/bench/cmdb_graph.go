package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	neighbors  = 1000 // of the switch
	graphDepth = 3
	graphBound = 5000 // maximum of CIs in the API
	graphRuns  = 11
)

// measureGraph measures the graph around a switch with many machines and their sites, first without
// and then with a monitor per machine.
func (e *cmdb) measureGraph(ctx context.Context) error {
	hub, err := e.fillSwitch(ctx)
	if err != nil {
		return err
	}
	if err := e.graphOf(ctx, "graph", hub); err != nil {
		return err
	}
	if err := e.fillMonitors(ctx); err != nil {
		return err
	}
	return e.graphOf(ctx, "graph_dense", hub)
}

func (e *cmdb) graphOf(ctx context.Context, id string, hub assignment) error {
	var g inventory.Graph
	e.progress.stepf(0, "graph around a switch with %d neighbors", neighbors)
	took, cpu, err := e.timed(ctx, graphRuns, func() (err error) {
		g, err = e.store.Graph(ctx, inventory.GraphQuery{CI: hub.ci.String(), Depth: graphDepth, MaxNodes: graphBound})
		return err
	})
	if err != nil {
		return err
	}
	if g.Truncated || len(g.Nodes) <= neighbors {
		return fmt.Errorf("the graph has %d CIs; truncated: %v", len(g.Nodes), g.Truncated)
	}
	e.report.add(id, inMilliseconds(took),
		fmt.Sprintf("%d CIs, %d relationships; median of %d; %.0f ms CPU", len(g.Nodes), len(g.Edges), graphRuns, cpu))
	return nil
}

// fillSwitch connects machines to a switch.
func (e *cmdb) fillSwitch(ctx context.Context) (hub assignment, err error) {
	since := time.Now().Add(-cmdbAge)
	assignments, err := e.filled.add(ctx, []ciData{{
		source: "snmp", key: "switch", baseClass: "network_device", since: since,
		reported: inventory.Observed{Class: "network_device", Attributes: inventory.Attributes{"name": "switch"}},
	}})
	if err != nil {
		return hub, err
	}
	var edges []relation
	for _, machine := range e.assignments[:neighbors] {
		edges = append(edges, relation{"connected_to", machine, assignments[0], &machine})
	}
	if err := e.filled.relate(ctx, since, edges); err != nil {
		return hub, err
	}
	return assignments[0], e.filled.done(ctx)
}

// fillMonitors adds a monitor to each machine at the switch.
func (e *cmdb) fillMonitors(ctx context.Context) error {
	since := time.Now().Add(-cmdbAge)
	var cis []ciData
	for n := range neighbors {
		name := "monitor " + strconv.Itoa(n)
		attributes := inventory.Attributes{"name": name, "serial_number": "GM" + strconv.Itoa(1e6+n)}
		cis = append(cis, ciData{
			source: sourceDiscovery, key: name, baseClass: "monitor", since: since,
			reported: inventory.Observed{Class: "monitor", Attributes: attributes},
		})
	}
	assignments, err := e.filled.add(ctx, cis)
	if err != nil {
		return err
	}
	var edges []relation
	for n, monitor := range assignments {
		edges = append(edges, relation{"connected_to", monitor, e.assignments[n], &e.assignments[n]})
	}
	if err := e.filled.relate(ctx, since, edges); err != nil {
		return err
	}
	return e.filled.done(ctx)
}
