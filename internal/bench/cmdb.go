package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/store"
)

// The parts that measure a large CMDB, with the packages that the collector consists of.
const (
	partIdentity  = "identity"
	partImport    = "import"
	partGraph     = "graph"
	partChanges   = "changes"
	partLists     = "lists"
	partResolvers = "resolvers"
)

var cmdbParts = []string{partIdentity, partImport, partGraph, partChanges, partLists, partResolvers}

// leastCMDB is the minimum of machines: the parts use different ones.
const leastCMDB = 4000

// cmdb is a large CMDB in a database of its own, and the store and the ingester on it in this
// process.
type cmdb struct {
	*bench
	meters

	store       *store.Store
	rules       *identify.Rules
	ingester    *ingest.Ingester
	agents      *agents
	filled      *filling
	assignments []assignment // of the machines, by number
}

// inProcess is this process as a subject of measurement.
type inProcess struct{ store *store.Store }

func (inProcess) pid() int { return os.Getpid() }

func (p inProcess) statements(context.Context) (float64, error) {
	return float64(p.store.Statements()), nil
}

// measureCMDB fills a database and measures the selected parts.
func (b *bench) measureCMDB(ctx context.Context) error {
	b.progress.stepf(0, "starting PostgreSQL")
	d, err := startDatabase(ctx, filepath.Join(b.dir, "cmdb"))
	if err != nil {
		return err
	}
	defer d.stop()
	b.report.PostgreSQL = d.version
	e := &cmdb{bench: b, meters: meters{database: d}}
	if err := e.open(ctx); err != nil {
		return err
	}
	defer e.store.Close()
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { e.ingester.Run(running); close(ended) }()
	defer func() { stop(); <-ended }()
	if err := e.fill(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{partLists, e.measureLists}, {partGraph, e.measureGraph}, {partChanges, e.measureChanges},
		{partIdentity, e.measureIdentity}, {partResolvers, e.measureResolvers}, {partImport, e.measureImport},
	} {
		if !b.wants(part.name) {
			continue
		}
		if err := part.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func (e *cmdb) open(ctx context.Context) (err error) {
	if err := store.Migrate(ctx, e.database.cluster.URL()); err != nil {
		return err
	}
	e.store, err = store.Open(ctx, e.database.cluster.URL(), store.Options{})
	if err != nil {
		return err
	}
	e.subject = inProcess{e.store}
	e.rules = identify.Default()
	e.ingester, err = ingest.New(e.store, ingest.Options{})
	if err == nil {
		e.agents, err = newAgents(e.seed, e.rules)
	}
	if err != nil {
		e.store.Close()
	}
	return err
}

// work measures what do costs per machine, the merging of pending index entries included.
func (e *cmdb) work(ctx context.Context, name string, machines int, do func() error) (expense, error) {
	e.progress.stepf(0, "%s", name)
	runtime.GC() // of the test data
	start, err := e.read(ctx)
	if err != nil {
		return expense{}, err
	}
	if err := do(); err != nil {
		return expense{}, fmt.Errorf("%s: %w", name, err)
	}
	tidying, err := e.database.tidy(ctx)
	if err != nil {
		return expense{}, err
	}
	spent, _, err := e.since(ctx, start)
	if err != nil {
		return expense{}, err
	}
	spent.Maintenance += float64(tidying) / float64(time.Millisecond)
	spent = spent.times(1 / float64(machines))
	e.report.Phases = append(e.report.Phases, phase{Name: name, expense: spent})
	return spent, nil
}

// timed returns the median duration of several runs after a warm-up, and the mean CPU time of one
// in milliseconds.
func (e *cmdb) timed(ctx context.Context, runs int, do func() error) (took time.Duration, cpu float64, err error) {
	if err := do(); err != nil {
		return 0, 0, err
	}
	start, err := e.read(ctx)
	if err != nil {
		return 0, 0, err
	}
	var times []time.Duration
	for range runs {
		began := time.Now()
		if err := do(); err != nil {
			return 0, 0, err
		}
		times = append(times, time.Since(began))
	}
	spent, _, err := e.since(ctx, start)
	return median(times), spent.cpu() / float64(runs), err
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
