package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/wire"
)

// fleetRun measures one collector with an empty database of its own under one fleet.
type fleetRun struct {
	*bench
	meters

	dir         string
	fleet       *fleet
	concurrency int
	first       bool // measure also what depends on neither similarity nor concurrency
	result      *runResult

	collector *collector
	clients   []*client
	enrolled  growth // of the database by the enrollments
}

const (
	// handshakeConcurrency is the number of concurrent handshakes in all runs.
	handshakeConcurrency = 32
	// idleWindow is how long an idle collector is measured. It covers its longest interval, 10 s.
	idleWindow = 11 * time.Second
	// backgroundWindow is longer than the intervals of the collector's writes in the background: it
	// stores the times of check-ins every second and folds counts every two.
	backgroundWindow = 2500 * time.Millisecond
)

func (r *fleetRun) measure(ctx context.Context) (err error) {
	r.progress.stepf(0, "%s: starting PostgreSQL and a collector", r.result.name())
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	if r.database, err = startDatabase(ctx, filepath.Join(r.dir, "postgres")); err != nil {
		return err
	}
	defer r.database.stop()
	r.report.PostgreSQL = r.database.version
	if r.collector, err = startCollector(ctx, r.collectorPath, r.dir, r.database.cluster.URL()); err != nil {
		return err
	}
	r.subject = r.collector
	defer func() { err = errors.Join(err, r.collector.stop()) }()
	defer r.hangUp()
	for i := range r.machines {
		r.clients = append(r.clients, &client{machine: i, wave: firstWave(i)})
	}
	return inOrder(ctx, r.steps()...)
}

// steps returns the measurements in their order.
func (r *fleetRun) steps() []func(context.Context) error {
	steps := []func(context.Context) error{
		r.measureEnrollment, r.measureHandshake, r.measureFirst, r.measureHandshake, r.measureUnchanged,
	}
	if !r.first {
		return append(steps, r.measureUpgrades)
	}
	steps = append([]func(context.Context) error{r.measureIdle}, steps...)
	return append(steps,
		r.measureReconnect, r.measureUpgrades, r.measureColdUpgrades, r.measureAgentOnWire, r.measureMemory)
}

func inOrder(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measureIdle measures the noise that all other measurements subtract.
func (r *fleetRun) measureIdle(ctx context.Context) error {
	if err := r.awaitQuiet(ctx); err != nil {
		return err
	}
	r.progress.stepf(0, "the idle collector")
	start, err := r.read(ctx)
	if err != nil {
		return err
	}
	if err := wait(ctx, idleWindow); err != nil {
		return err
	}
	spent, took, err := r.since(ctx, start)
	if err != nil {
		return err
	}
	spent = spent.times(1 / took.Seconds())
	r.idle, r.report.Idle = &spent, &spent
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// phase lets every machine do something. It records the cost per machine, including what the
// collector and the indexes defer.
func (r *fleetRun) phase(
	ctx context.Context, id, name string, machines []*client, do func(context.Context, *client) error,
) error {
	start, err := r.read(ctx)
	if err != nil {
		return err
	}
	r.progress.stepf(len(machines), "%s: %s: %d machines", r.result.name(), name, len(machines))
	if err := r.each(ctx, machines, do); err != nil {
		return fmt.Errorf("%s: %w; end of the collector's log: %s", name, err, r.collector.logTail())
	}
	if err := r.awaitBackground(ctx); err != nil {
		return err
	}
	tidying, err := r.database.tidy(ctx)
	if err != nil {
		return err
	}
	spent, took, err := r.since(ctx, start)
	if err != nil {
		return err
	}
	spent = spent.less(r.idle.times(took.Seconds()))
	spent.Maintenance += inMilliseconds(tidying)
	spent = spent.times(1 / float64(len(machines)))
	r.result.Phases = append(r.result.Phases, phase{ID: id, Name: name, expense: spent})
	return nil
}

// awaitBackground waits until the collector has written what it defers.
func (r *fleetRun) awaitBackground(ctx context.Context) error {
	if err := wait(ctx, backgroundWindow); err != nil {
		return err
	}
	return r.awaitQuiet(ctx)
}

// awaitQuiet waits until neither the collector nor its sessions work.
func (r *fleetRun) awaitQuiet(ctx context.Context) error {
	return quiet(ctx, func() (time.Duration, error) {
		sessions, _, err := r.database.cpu()
		if err != nil {
			return 0, err
		}
		own, err := cpuOf(r.collector.pid())
		return sessions + own, err
	})
}

// each calls do for every client, r.concurrency at a time. The first error cancels the rest.
func (r *fleetRun) each(ctx context.Context, clients []*client, do func(context.Context, *client) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *client)
	var workers sync.WaitGroup
	for range r.concurrency {
		workers.Go(func() {
			for c := range queue {
				if err := do(ctx, c); err != nil {
					cancel(err)
				}
				r.progress.advance()
			}
		})
	}
	for _, c := range clients {
		select {
		case queue <- c:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// hangUp closes all streams.
func (r *fleetRun) hangUp() {
	for _, c := range r.clients {
		c.close()
	}
}

func (r *fleetRun) measureEnrollment(ctx context.Context) error {
	before, err := r.extent(ctx)
	if err != nil {
		return err
	}
	err = r.phase(ctx, phaseEnroll, "enrollment", r.clients, func(ctx context.Context, c *client) error {
		return c.enroll(ctx, r.collector)
	})
	if err != nil {
		return err
	}
	after, err := r.extent(ctx)
	r.enrolled = after.since(before, len(r.clients))
	return err
}

// measureHandshake measures the yardstick of the norm values: always with the same concurrency, and
// once more after the first inventories, because the load of the machine changes during a run.
func (r *fleetRun) measureHandshake(ctx context.Context) error {
	concurrency := r.concurrency
	r.concurrency = handshakeConcurrency
	defer func() { r.concurrency = concurrency }()
	err := r.phase(ctx, phaseHandshake, "TLS handshake", r.clients, func(ctx context.Context, c *client) error {
		return c.handshake(ctx, r.collector.grpcAddr)
	})
	return err
}

// measureFirst measures the halves of the fleet separately: while the catalogs of a new collector
// fill, every machine brings many items that no machine had before. The targets are those of the
// second half.
func (r *fleetRun) measureFirst(ctx context.Context) error {
	send := func(ctx context.Context, c *client) error { return r.sendFirst(ctx, c, len(wire.Sections())) }
	before, err := r.extent(ctx)
	if err != nil {
		return err
	}
	half := firstHalf(len(r.clients))
	for _, part := range []struct {
		id, name string
		machines []*client
	}{
		{phaseFilling, "first inventory, first half", r.clients[:half]},
		{phaseFirst, "first inventory, second half", r.clients[half:]},
	} {
		if len(part.machines) == 0 {
			continue
		}
		if err := r.phase(ctx, part.id, part.name, part.machines, send); err != nil {
			return err
		}
		after, err := r.extent(ctx)
		if err != nil {
			return err
		}
		grown := after.since(before, len(part.machines)).plus(r.enrolled)
		r.result.Sizes[part.id], r.result.Tables = grown.all, grown.list()
		before = after
	}
	return r.countDevices(ctx)
}

// firstHalf returns how many machines send their inventories before the measurement that counts.
func firstHalf(machines int) int { return (machines + 1) / 2 }

// countDevices checks that each machine became a device: the figures are meaningless otherwise.
func (r *fleetRun) countDevices(ctx context.Context) error {
	devices, err := r.collector.devices(ctx)
	if err == nil && devices != len(r.clients) {
		err = fmt.Errorf("%d machines became %d devices", len(r.clients), devices)
	}
	return err
}

// sendFirst connects a machine and sends the first sections of its inventory.
func (r *fleetRun) sendFirst(ctx context.Context, c *client, sections int) error {
	inventory, err := r.fleet.inventoryOf(c.machine, sections)
	if err != nil {
		return err
	}
	var changes []change
	for _, s := range inventory {
		changes = append(changes, change{section: s.section, root: s.root, added: s.items})
		c.hold(s.section, s.root)
	}
	if err := c.open(ctx, r.collector.grpcAddr); err != nil {
		return err
	}
	return c.checkIn(ctx, changes)
}

func checkInUnchanged(ctx context.Context, c *client) error { return c.checkIn(ctx, nil) }

// measureUnchanged measures the CPU with all that follows, and then statements and WAL of the
// check-ins alone. The batched write of the times of check-ins goes to an unlogged table, but its
// commit is a WAL record. The least of several attempts counts, because that write or another one
// in the background may happen during an attempt.
func (r *fleetRun) measureUnchanged(ctx context.Context) error {
	const attempts = 5
	if err := r.phase(ctx, phaseUnchanged, "unchanged", r.clients, checkInUnchanged); err != nil {
		return err
	}
	var least expense
	for attempt := range attempts {
		start, err := r.read(ctx)
		if err != nil {
			return err
		}
		if err := r.each(ctx, r.clients, checkInUnchanged); err != nil {
			return err
		}
		spent, _, err := r.since(ctx, start)
		if err != nil {
			return err
		}
		if attempt == 0 || spent.WALBytes+spent.Statements < least.WALBytes+least.Statements {
			least = spent
		}
		if least.WALBytes == 0 && least.Statements == 0 {
			break
		}
	}
	r.result.Phases = append(r.result.Phases, phase{
		ID: phaseUnchangedAlone, Name: "unchanged, without the background",
		expense: least.times(1 / float64(len(r.clients))),
	})
	return nil
}

// measureReconnect has every machine check in on a new connection without changes.
func (r *fleetRun) measureReconnect(ctx context.Context) error {
	r.hangUp()
	if err := r.awaitBackground(ctx); err != nil {
		return err
	}
	reconnect := func(ctx context.Context, c *client) error {
		if err := c.open(ctx, r.collector.grpcAddr); err != nil {
			return err
		}
		return c.checkIn(ctx, nil)
	}
	err := r.phase(ctx, phaseReconnect, "unchanged, new connection", r.clients, reconnect)
	return err
}

// upgrade has a machine report the next upgrade.
func (r *fleetRun) upgrade(ctx context.Context, c *client) error {
	c.wave++
	news := r.fleet.upgrade(c.machine, c.wave, c.rootOf(r.fleet.software.Name), time.Now())
	c.hold(news.section, news.root)
	return c.checkIn(ctx, []change{news})
}

func (r *fleetRun) measureUpgrades(ctx context.Context) error {
	before, err := r.extent(ctx)
	if err != nil {
		return err
	}
	if err := r.phase(ctx, phaseUpgrade, "20 upgrades", r.clients, r.upgrade); err != nil {
		return err
	}
	after, err := r.extent(ctx)
	r.result.Sizes[phaseUpgrade] = after.since(before, len(r.clients)).all
	return err
}

// measureColdUpgrades measures upgrades directly after a checkpoint, when the first change of every
// page writes the page to the WAL.
func (r *fleetRun) measureColdUpgrades(ctx context.Context) error {
	if err := r.database.exec(ctx, `checkpoint`); err != nil {
		return err
	}
	err := r.phase(ctx, phaseColdUpgrade, "20 upgrades after a checkpoint", r.clients, r.upgrade)
	return err
}
