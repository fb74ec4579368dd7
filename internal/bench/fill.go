package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// fillChunk is how many machines are made up and written at a time.
	fillChunk   = 5000
	fillWorkers = 2
	// estateAge is how long ago the first machine was heard of; the others followed evenly for a year.
	estateAge = 400 * 24 * time.Hour
	year      = 365 * 24 * time.Hour
)

// fill makes an estate whose agents are all connected, as it is after the nightly vacuum.
func (e *estate) fill(ctx context.Context) (err error) {
	if e.filled, err = newFilling(ctx, e.database.session, e.judge); err != nil {
		return err
	}
	e.progress.stepf(estateSize/fillChunk, "filling a database with %d machines", estateSize)
	// The rows refer to each other as they should: that is not looked at again.
	if err := e.database.exec(ctx, `set session_replication_role = replica; set synchronous_commit = off`); err != nil {
		return err
	}
	rebuild, err := e.database.dropIndexes(ctx)
	if err != nil {
		return err
	}
	if err := e.fillMachines(ctx, time.Now().Add(-estateAge)); err != nil {
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

// done lets the store go on from what was written.
func (f *filling) done(ctx context.Context) error {
	for _, statement := range []string{
		`select setval(pg_get_serial_sequence('source_record', 'id'), ` + strconv.FormatInt(f.last, 10) + `)`, `vacuum (analyze)`, `checkpoint`,
	} {
		if _, err := f.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// dropIndexes drops the indexes of the tables that are filled, except those of keys, and gives the statements that make
// them again: to sort a million entries is faster than to insert them one by one.
func (d *database) dropIndexes(ctx context.Context) (definitions []string, err error) {
	var tables []string
	for _, table := range fillTables {
		tables = append(tables, table.name)
	}
	rows, err := d.session.Query(ctx, `
		select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
		from pg_index i
		where indrelid = any($1::regclass[]) and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`, tables)
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

// fillMachines makes up machines while those before them are written. The first of them was heard of at a time.
func (e *estate) fillMachines(ctx context.Context, began time.Time) error {
	made, failed := make(chan batch), make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(made)
		for from := 0; from < estateSize; from += fillChunk {
			things := make([]thing, fillChunk)
			err := share(fillWorkers, fillChunk, func(i int) (err error) {
				things[i], err = e.machines.thing(from+i, began)
				return err
			})
			b := batch{}
			if err == nil {
				b, err = e.filled.prepare(things)
			}
			if err != nil {
				failed <- err
				return
			}
			select {
			case made <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	for b := range made {
		if err := e.filled.write(ctx, b); err != nil {
			return err
		}
		e.places = append(e.places, b.places...)
		e.progress.advance()
	}
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

func (m *machines) thing(n int, began time.Time) (thing, error) {
	said, err := m.observed(n)
	return thing{
		source: sourceAgent, key: "machine " + strconv.Itoa(n), kind: kindComputer,
		since: began.Add(year / estateSize * time.Duration(n)), said: alone(said),
	}, err
}

// As the store calls them.
const (
	sourceAgent     = "agent"
	sourceDiscovery = "discovery"
	kindComputer    = "computer"
)
