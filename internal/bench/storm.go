package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/wire"
)

const (
	// stormTime is how long a machine tries to send its first inventory. An agent never gives up.
	stormTime = 5 * time.Minute
	// stormPause is the pause after an attempt that failed. An agent waits for a minute or longer.
	stormPause = time.Second
	// stormRounds is how often all machines check in unchanged, one round after the other.
	stormRounds = 3
)

// storm is a new collector whose machines all start at once.
type storm struct {
	*fleetRun

	mu      sync.Mutex
	took    []time.Duration // from the start to the acknowledgment
	retried int
}

// measureStorm measures how a collector serves machines that all send their first inventory at the
// same moment, as after a software distribution, and then how many unchanged check-ins it
// acknowledges in a second.
func (b *bench) measureStorm(ctx context.Context) (err error) {
	local, err := spend(ctx, b.agentPath, "inventory", "--output", "json")
	if err != nil {
		return err
	}
	image, err := readGolden(local.output)
	if err != nil {
		return err
	}
	f, err := newFleet(b.seed, image, highSimilarity)
	if err != nil {
		return err
	}
	r := &fleetRun{
		bench: b, fleet: f, concurrency: handshakeConcurrency, dir: filepath.Join(b.dir, "storm"),
		result: &runResult{Similarity: highSimilarity.name},
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	if r.database, err = startDatabase(ctx, filepath.Join(r.dir, "postgres")); err != nil {
		return err
	}
	defer r.database.stop()
	if r.collector, err = startCollector(ctx, b.collectorPath, r.dir, r.database.cluster.URL()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.collector.stop()) }()
	defer r.hangUp()
	return (&storm{fleetRun: r}).measure(ctx)
}

func (s *storm) measure(ctx context.Context) error {
	for i := range s.storm {
		s.clients = append(s.clients, &client{machine: i, wave: firstWave(i)})
	}
	s.progress.stepf(len(s.clients), "storm: enrolling %d machines", len(s.clients))
	err := s.each(ctx, s.clients, func(ctx context.Context, c *client) error { return c.enroll(ctx, s.collector) })
	if err != nil {
		return err
	}
	s.progress.stepf(len(s.clients), "storm: %d first inventories at once", len(s.clients))
	s.concurrency = len(s.clients)
	if err := s.each(ctx, s.clients, s.first); err != nil {
		return err
	}
	return errors.Join(s.reportFirst(), s.measureUnchanged(ctx))
}

// first sends the first inventory of a machine until it is acknowledged.
func (s *storm) first(ctx context.Context, c *client) error {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, stormTime)
	defer cancel()
	for limited.Err() == nil {
		err := s.sendFirst(limited, c, len(wire.Sections()))
		s.mu.Lock()
		if err == nil {
			s.took = append(s.took, time.Since(began))
		} else {
			s.retried++
		}
		s.mu.Unlock()
		if err == nil {
			return nil
		}
		c.close()
		if err := wait(limited, stormPause); err != nil {
			break
		}
	}
	return ctx.Err() // a machine that was not served is a result
}

func (s *storm) reportFirst() error {
	done := len(s.took)
	s.report.add("storm_done", float64(done), fmt.Sprintf("of %d machines", len(s.clients)))
	s.report.add("storm_failed", float64(len(s.clients)-done), fmt.Sprintf("within %v", stormTime))
	s.report.add("storm_retried", float64(s.retried), "")
	if done == 0 {
		return errors.New("no machine was served")
	}
	slices.Sort(s.took)
	s.report.add("storm_median", s.took[done/2].Seconds(), "the fleet runs on the same machine")
	s.report.add("storm_p99", s.took[done*99/100].Seconds(), "")
	peak, err := memoryOf(s.collector.pid(), "VmHWM")
	s.report.add("storm_memory", float64(peak)/(1<<20), "")
	return err
}

// measureUnchanged has the machines that were served check in unchanged.
func (s *storm) measureUnchanged(ctx context.Context) error {
	s.clients = slices.DeleteFunc(s.clients, func(c *client) bool { return c.token == nil })
	s.progress.stepf(stormRounds*len(s.clients), "storm: unchanged check-ins")
	began := time.Now()
	for range stormRounds {
		if err := s.each(ctx, s.clients, checkInUnchanged); err != nil {
			return err
		}
	}
	perSecond := float64(stormRounds*len(s.clients)) / time.Since(began).Seconds()
	s.report.add("storm_unchanged", perSecond, fmt.Sprintf("%d rounds of %d machines", stormRounds, len(s.clients)))
	return nil
}
