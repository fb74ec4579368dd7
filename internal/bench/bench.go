package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// bench is one execution of the program.
type bench struct {
	options

	dir      string
	report   *report
	progress *progress
	idle     *expense // of a collector without agents, per second; nil: not measured yet
}

func (b *bench) measure(ctx context.Context) error {
	if b.wants(partCollector) {
		if err := b.measureCollector(ctx); err != nil {
			return err
		}
	}
	if b.wants(partStorm) {
		if err := b.measureStorm(ctx); err != nil {
			return fmt.Errorf("storm: %w", err)
		}
	}
	if b.wants(cmdbParts...) {
		return b.measureCMDB(ctx)
	}
	return nil
}

// measureCollector measures the agent on this machine, and then a new collector for each
// combination of similarity and concurrency. The measurements that depend on neither are part of
// the first of them.
func (b *bench) measureCollector(ctx context.Context) error {
	image, err := b.measureAgent(ctx)
	if err != nil {
		return err
	}
	first := true
	for _, similarity := range b.similarities {
		f, err := newFleet(b.seed, image, similarity)
		if err != nil {
			return err
		}
		shared, unknown := f.sharedSoftware(), f.unknownSoftware(b.machines)
		for _, concurrency := range b.concurrencies {
			r := &fleetRun{
				bench: b, fleet: f, concurrency: concurrency, first: first,
				result: &runResult{
					Similarity: similarity.name, Concurrency: concurrency, Shared: shared, Unknown: unknown,
					Sizes: map[string]float64{},
				},
			}
			r.dir = filepath.Join(b.dir, fmt.Sprintf("%s-%d", similarity.name, concurrency))
			b.report.Runs = append(b.report.Runs, r.result)
			if err := r.measure(ctx); err != nil {
				return fmt.Errorf("%s: %w", r.result.name(), err)
			}
			first = false
		}
	}
	return nil
}

// quiet returns when a CPU time has stopped growing.
func quiet(ctx context.Context, cpu func() (time.Duration, error)) error {
	const (
		rest  = 300 * time.Millisecond
		noise = rest / 50
	)
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	last := time.Duration(-1)
	for {
		now, err := cpu()
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
