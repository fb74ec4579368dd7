package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"
)

// bench is one measurement under way.
type bench struct {
	options

	dir      string
	report   *report
	progress *progress

	meters
	collector *collector
	fleet     *fleet
	clients   []*client
	idle      expense // per second, with nobody there
	handshook expense // what a connection takes before anything is said
	enrolled  growth  // what enrolling took
}

// idleWindow is how long the collector is watched with nobody there: it folds counts every two seconds, and flushes who was
// seen and looks for revoked agents every ten.
const idleWindow = 11 * time.Second

// measure measures the parts that are wanted.
func (b *bench) measure(ctx context.Context) error {
	if b.wants(partCollector) {
		if err := b.measureCollector(ctx); err != nil {
			return err
		}
	}
	if b.wants(estateParts...) {
		return b.measureEstate(ctx)
	}
	return nil
}

// measureCollector measures the agent, and the collector with a fleet, in an order in which little waits for anything.
func (b *bench) measureCollector(ctx context.Context) (err error) {
	b.progress.stepf(0, "starting PostgreSQL and a collector")
	if b.database, err = startDatabase(ctx, filepath.Join(b.dir, "postgres")); err != nil {
		return err
	}
	defer b.database.stop()
	b.report.PostgreSQL = b.database.version
	if b.collector, err = startCollector(ctx, b.collectorPath, b.dir, b.database.cluster.URL()); err != nil {
		return err
	}
	b.program = b.collector
	defer func() { err = errors.Join(err, b.collector.stop()) }()
	defer b.hangUp()

	for _, part := range []func(context.Context) error{
		b.measureIdle, b.measureFleet, b.measureAgentOnWire, b.measureMemory,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measureIdle uses the time in which the collector has nothing to do for what needs no collector.
func (b *bench) measureIdle(ctx context.Context) error {
	if err := b.quiet(ctx, b.collector.pid()); err != nil {
		return err
	}
	start, err := b.read(ctx)
	if err != nil {
		return err
	}
	window := time.After(idleWindow)
	image, err := b.measureAgent(ctx)
	if err != nil {
		return err
	}
	if b.fleet, err = newFleet(b.seed, image); err != nil {
		return err
	}
	b.progress.stepf(0, "the collector with nobody there")
	select {
	case <-window:
	case <-ctx.Done():
		return ctx.Err()
	}
	spent, took, err := b.since(ctx, start)
	b.idle = spent.times(1 / took.Seconds())
	b.report.Idle = &b.idle
	return err
}

// quiet returns when a process has come to rest.
func (b *bench) quiet(ctx context.Context, pid int) error {
	const (
		rest  = 300 * time.Millisecond
		noise = rest / 100
	)
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	last := time.Duration(-1)
	for {
		now, err := cpuOf(pid)
		if err != nil {
			return err
		}
		if last >= 0 && now-last < noise {
			return nil
		}
		last = now
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// each lets every client do something, some at a time. The first failure ends it all.
func (b *bench) each(ctx context.Context, clients []*client, do func(context.Context, *client) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *client)
	var workers sync.WaitGroup
	for range b.concurrency {
		workers.Go(func() {
			for c := range queue {
				if err := do(ctx, c); err != nil {
					cancel(err)
				}
				b.progress.advance()
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

// hangUp ends all conversations.
func (b *bench) hangUp() {
	for _, c := range b.clients {
		c.close()
	}
}
