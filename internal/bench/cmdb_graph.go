package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	neighbors  = 1000 // of the CI in the middle
	graphDepth = 3
	graphBound = 5000 // CIs of a graph, the most that the API gives
	graphRuns  = 11
)

// measureGraph measures what is around a switch: many machines, and the sites that these are at; and the same where each of
// the machines has a monitor, too.
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
	e.progress.stepf(0, "graph: what is around a switch with %d neighbors", neighbors)
	took, cpu, err := e.timed(ctx, graphRuns, func() (err error) {
		g, err = e.store.Graph(ctx, inventory.GraphQuery{CI: hub.ci.String(), Depth: graphDepth, MaxNodes: graphBound})
		return err
	})
	if err != nil {
		return err
	}
	if g.Truncated || len(g.Nodes) <= neighbors {
		return fmt.Errorf("the graph has %d CIs; it was cut: %v", len(g.Nodes), g.Truncated)
	}
	e.report.add(id, inMilliseconds(took),
		fmt.Sprintf("%d CIs, %d relationships; median of %d; %.0f ms CPU", len(g.Nodes), len(g.Edges), graphRuns, cpu))
	return nil
}

// fillSwitch connects machines to a switch, which are at their sites.
func (e *cmdb) fillSwitch(ctx context.Context) (hub assignment, err error) {
	since := time.Now().Add(-cmdbAge)
	assignments, err := e.filled.add(ctx, []ciData{{source: "snmp", key: "switch", baseClass: "network_device", since: since, reported: inventory.Observed{
		Class: "network_device", Attributes: inventory.Attributes{"name": "switch"},
	}}})
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

// fillMonitors gives each of the machines at the switch a monitor.
func (e *cmdb) fillMonitors(ctx context.Context) error {
	since := time.Now().Add(-cmdbAge)
	var cis []ciData
	for n := range neighbors {
		name := "monitor " + strconv.Itoa(n)
		cis = append(cis, ciData{source: sourceDiscovery, key: name, baseClass: "monitor", since: since, reported: inventory.Observed{
			Class: "monitor", Attributes: inventory.Attributes{"name": name, "serial_number": "GM" + strconv.Itoa(1e6+n)},
		}})
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
