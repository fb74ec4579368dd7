package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	// fillChunk is the number of machines that are written at a time.
	fillChunk   = 5000
	fillWorkers = 2
	// cmdbAge is the age of the first machine. The others follow evenly for a year.
	cmdbAge = 400 * 24 * time.Hour
	year    = 365 * 24 * time.Hour
)

// fill creates the CMDB in the state after the nightly vacuum. All its agents are connected.
func (e *cmdb) fill(ctx context.Context) (err error) {
	if e.filled, err = newFilling(ctx, e.database.session, e.rules); err != nil {
		return err
	}
	e.progress.stepf(e.cmdbMachines/fillChunk, "filling a database with %d machines", e.cmdbMachines)
	// The rows are consistent, so foreign keys are not checked.
	if err := e.database.exec(ctx, `set session_replication_role = replica; set synchronous_commit = off`); err != nil {
		return err
	}
	rebuild, err := e.database.dropIndexes(ctx)
	if err != nil {
		return err
	}
	if err := e.fillMachines(ctx, time.Now().Add(-cmdbAge)); err != nil {
		return err
	}
	if err := e.fillSites(ctx, time.Now().Add(-cmdbAge)); err != nil {
		return err
	}
	for _, definition := range rebuild {
		if err := e.database.exec(ctx, definition); err != nil {
			return err
		}
	}
	if err := e.database.exec(ctx, `reset session_replication_role; reset synchronous_commit`); err != nil {
		return err
	}
	return e.filled.done(ctx)
}

// dropIndexes drops the indexes of the filled tables, except those of constraints, and returns the
// statements that create them again. Sorting a million entries is faster than inserting them one by
// one.
func (d *database) dropIndexes(ctx context.Context) (definitions []string, err error) {
	tables := []string{"relationship"}
	for _, table := range fillTables {
		tables = append(tables, table.name)
	}
	rows, err := d.session.Query(ctx, `
		select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
		from pg_index i
		where indrelid = any($1::regclass[])
			and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`, tables)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	type index struct{ Name, Definition string }
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByName[index])
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	for _, i := range indexes {
		definitions = append(definitions, i.Definition)
		if err := d.exec(ctx, `drop index `+i.Name); err != nil {
			return nil, err
		}
	}
	return definitions, nil
}

// fillMachines makes up machines while the previous ones are written.
func (e *cmdb) fillMachines(ctx context.Context, began time.Time) error {
	made, failed := make(chan batch), make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(made)
		failed <- e.makeMachines(ctx, began, made)
	}()
	for b := range made {
		if err := e.filled.write(ctx, b); err != nil {
			return err
		}
		e.assignments = append(e.assignments, b.assignments...)
		e.progress.advance()
	}
	return <-failed
}

// makeMachines makes up all machines, chunk by chunk. The first one was enrolled at began.
func (e *cmdb) makeMachines(ctx context.Context, began time.Time, made chan<- batch) error {
	interval := year / time.Duration(e.cmdbMachines)
	for from := 0; from < e.cmdbMachines; from += fillChunk {
		cis := make([]ciData, min(fillChunk, e.cmdbMachines-from))
		err := share(fillWorkers, len(cis), func(i int) (err error) {
			cis[i], err = e.agents.computer(from+i, began.Add(interval*time.Duration(from+i)))
			return err
		})
		if err != nil {
			return err
		}
		b, err := e.filled.prepare(cis)
		if err != nil {
			return err
		}
		select {
		case made <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// perSite is the number of machines per location.
const perSite = 100

// fillSites adds locations and declares the location of each machine.
func (e *cmdb) fillSites(ctx context.Context, since time.Time) error {
	var sites []ciData
	for n := range 1 + e.cmdbMachines/perSite {
		sites = append(sites, location("site "+strconv.Itoa(n), since))
	}
	assignments, err := e.filled.add(ctx, sites)
	if err != nil {
		return err
	}
	var edges []relation
	for n, machine := range e.assignments {
		edges = append(edges, relation{relationshipType: "located_in", from: machine, to: assignments[n/perSite]})
	}
	return e.filled.relate(ctx, since, edges)
}

func location(name string, since time.Time) ciData {
	return ciData{source: "csv:locations", key: name, baseClass: "location", since: since, reported: inventory.Observed{
		Class: "location", Attributes: inventory.Attributes{"name": name},
	}}
}
