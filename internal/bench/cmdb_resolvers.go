package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/store/resolve"
)

var (
	// resolverCounts are the numbers of concurrent resolvers.
	resolverCounts = []int{1, 2, 4, 8}
	// resolverGroups are the machines per call, and the calls of each measurement. Every number of
	// resolvers divides the calls.
	resolverGroups = []struct{ size, calls int }{{1, 64}, {8, 32}, {64, 8}}
)

// resolverRounds is how often each number of resolvers is measured, in turns, so that a busy moment
// of the machine affects all of them.
const resolverRounds = 2

// leastSpeedup is the target of 8 resolvers relative to one.
const leastSpeedup = 1.5

// resolversResult is the throughput of concurrent resolvers with one size of groups.
type resolversResult struct {
	Group    int       `json:"group"`
	Machines []float64 `json:"machines_per_second"` // in the order of resolverCounts
}

// measureResolvers measures the throughput of concurrent resolutions of new machines with their
// components. The resolvers share one store, as the workers of a collector do.
func (e *cmdb) measureResolvers(ctx context.Context) error {
	next, err := e.warmUp(ctx)
	if err != nil {
		return err
	}
	for _, group := range resolverGroups {
		e.progress.stepf(0, "resolvers: groups of %d", group.size)
		machines := group.size * group.calls
		took := make([]time.Duration, len(resolverCounts))
		for n := range resolverRounds * len(resolverCounts) {
			i := n % len(resolverCounts)
			spent, err := e.timeResolvers(ctx, next, machines, group.size, resolverCounts[i])
			if err != nil {
				return err
			}
			took[i] += spent
			next += machines
		}
		result := resolversResult{Group: group.size}
		for _, d := range took {
			result.Machines = append(result.Machines, float64(resolverRounds*machines)/d.Seconds())
		}
		e.report.Resolvers = append(e.report.Resolvers, result)
	}
	return nil
}

// timeResolvers resolves new machines from a number on and returns the time of it.
func (e *cmdb) timeResolvers(ctx context.Context, next, machines, size, resolvers int) (time.Duration, error) {
	observations, err := observationsOf(ctx, next, machines, e.newMachineWithComponents)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = e.resolveConcurrently(ctx, observations, size, resolvers)
	return time.Since(began), err
}

// resolveConcurrently lets a number of resolvers take the groups from one queue.
func (e *cmdb) resolveConcurrently(
	ctx context.Context, observations []inventory.Observation, size, resolvers int,
) error {
	groups := make(chan []inventory.Observation, len(observations)/size)
	for from := 0; from < len(observations); from += size {
		groups <- observations[from : from+size]
	}
	close(groups)
	errs := make([]error, resolvers)
	var wait sync.WaitGroup
	for i := range resolvers {
		wait.Go(func() {
			for group := range groups {
				if err := e.commitFirst(ctx, group); err != nil {
					errs[i] = fmt.Errorf("resolve a group of %d: %w", size, err)
					return
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// commitFirst commits observations of new machines as a collector commits their first inventories,
// without sections.
func (e *cmdb) commitFirst(ctx context.Context, observations []inventory.Observation) error {
	updates := make([]resolve.Update, len(observations))
	for i, o := range observations {
		updates[i] = resolve.Update{
			Change: items.Change{Change: inventory.Change{Record: o.Record}}, First: true, Observed: &o.Observed,
		}
	}
	committed, err := e.store.Commit(ctx, updates)
	if err == nil && len(committed) < len(updates) {
		return fmt.Errorf("%d of %d machines were committed", len(committed), len(updates))
	}
	return err
}

// printResolvers prints machines per second, and the ratio to one resolver.
func (r *report) printResolvers(t io.Writer) {
	if len(r.Resolvers) == 0 {
		return
	}
	fmt.Fprintf(t, "\nResolutions of new machines with components: machines per second (ratio to one resolver);"+
		" target: 8 resolvers ≥ %.1f × one\n\t\nMachines per call\tone resolver", leastSpeedup)
	for _, n := range resolverCounts[1:] {
		fmt.Fprintf(t, "\t%d resolvers", n)
	}
	fmt.Fprint(t, "\tVerdict\n")
	for _, result := range r.Resolvers {
		fmt.Fprint(t, result.Group)
		for _, speed := range result.Machines {
			fmt.Fprintf(t, "\t%.0f (%.2f)", speed, speed/result.Machines[0])
		}
		fmt.Fprintf(t, "\t%s\n", result.verdict())
	}
}

func (r resolversResult) verdict() string {
	if r.Machines[len(r.Machines)-1] >= leastSpeedup*r.Machines[0] {
		return "met"
	}
	return "missed"
}
