package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/postgres"
)

// database is a private cluster, as the collector starts one without --database-url, and a session
// that reads its statistics. The costs of that session are not counted.
type database struct {
	cluster *postgres.Cluster
	session *pgx.Conn
	server  int // process of the server
	own     int // process of the session
	inspect bool
	version string
}

// startDatabase creates an empty cluster. The caller stops it.
func startDatabase(ctx context.Context, dir string) (*database, error) {
	cluster, err := postgres.Start(ctx, postgres.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	d := &database{cluster: cluster}
	if err := d.connect(ctx, dir); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

func (d *database) connect(ctx context.Context, dir string) (err error) {
	if d.session, err = pgx.Connect(ctx, d.cluster.AdminURL()); err != nil {
		return fmt.Errorf("connect to database: %w", err)
	}
	d.own = int(d.session.PgConn().PID())
	if err := d.session.QueryRow(ctx, `show server_version`).Scan(&d.version); err != nil {
		return fmt.Errorf("ask for version: %w", err)
	}
	// It reports full pages separately. Some distributions package it separately.
	_, err = d.session.Exec(ctx, `create extension pg_walinspect`)
	d.inspect = err == nil
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid")) //nolint:gosec // of the own cluster
	if err != nil {
		return fmt.Errorf("find the server's process: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	d.server, err = strconv.Atoi(first)
	return err
}

func (d *database) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if d.session != nil {
		_ = d.session.Close(ctx)
	}
	_ = d.cluster.Stop(ctx) // its data is not needed any more
}

// cpu returns the CPU time of the sessions of clients, and of everything else: the server,
// checkpointer, writers, autovacuum. The time of a process that ended is added to the server, its
// parent.
func (d *database) cpu() (sessions, maintenance time.Duration, err error) {
	stat, err := statOf(d.server)
	if err != nil {
		return 0, 0, err
	}
	own, err := cpuOf(d.server)
	if err != nil {
		return 0, 0, err
	}
	maintenance = own + stat.childrenCPU
	children, err := childrenOf(d.server)
	if err != nil {
		return 0, 0, err
	}
	for _, pid := range children {
		spent, err := cpuOf(pid)
		switch {
		case err != nil:
			return 0, 0, err
		case pid == d.own:
		case strings.Contains(titleOf(pid), "[local]"): // the address of a client
			sessions += spent
		default:
			maintenance += spent
		}
	}
	return sessions, maintenance, nil
}

// tidy merges the pending lists of GIN indexes (PostgreSQL, "GIN Fast Update Technique") and
// returns the CPU time of it.
func (d *database) tidy(ctx context.Context) (time.Duration, error) {
	before, err := cpuOf(d.own)
	if err != nil {
		return 0, err
	}
	err = d.exec(ctx, `
		select gin_clean_pending_list(c.oid)
		from pg_class c join pg_am a on a.oid = c.relam
		where a.amname = 'gin' and c.relkind = 'i' and c.relpersistence <> 't'`)
	if err != nil {
		return 0, err
	}
	after, err := cpuOf(d.own)
	return after - before, err
}

// position returns the WAL position in bytes.
func (d *database) position(ctx context.Context) (at int64, err error) {
	err = d.session.QueryRow(ctx, `select (pg_current_wal_insert_lsn() - '0/0')::bigint`).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("read WAL position: %w", err)
	}
	return at, nil
}

// log returns the number of records between two WAL positions, and the bytes of full pages, which
// the first change of a page after a checkpoint writes.
func (d *database) log(ctx context.Context, from, to int64) (records, fullPages float64, err error) {
	if !d.inspect || from == to {
		return 0, 0, nil
	}
	for flushed := false; !flushed; { // only WAL on disk can be read
		err := d.session.QueryRow(ctx, `select pg_current_wal_flush_lsn() - '0/0' >= $1, pg_sleep(0.01) is null`, to).
			Scan(&flushed, nil)
		if err != nil {
			return 0, 0, fmt.Errorf("wait for WAL: %w", err)
		}
	}
	err = d.session.QueryRow(ctx, `
		select coalesce(sum(count), 0)::float8, coalesce(sum(fpi_size), 0)::float8
		from pg_get_wal_stats('0/0'::pg_lsn + $1::bigint, '0/0'::pg_lsn + $2::bigint)`, from, to).
		Scan(&records, &fullPages)
	if err != nil {
		return 0, 0, fmt.Errorf("read WAL: %w", err)
	}
	return records, fullPages, nil
}

func (d *database) exec(ctx context.Context, statement string) error {
	if _, err := d.session.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// storage is the size of a table in bytes, its TOAST included.
type storage struct {
	Table   string  `json:"table"`
	All     float64 `json:"bytes"`
	Indexes float64 `json:"index_bytes"`
}

// size returns the size of the database in bytes.
func (d *database) size(ctx context.Context) (bytes int64, err error) {
	if err = d.session.QueryRow(ctx, `select pg_database_size(current_database())`).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("measure database: %w", err)
	}
	return bytes, nil
}

// tables lists the tables by size, the largest first.
func (d *database) tables(ctx context.Context) ([]storage, error) {
	rows, err := d.session.Query(ctx, `
		select relname, pg_total_relation_size(oid)::float8, pg_indexes_size(oid)::float8
		from pg_class
		where relkind in ('r', 'm')
			and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')
		order by 2 desc, 1`)
	if err != nil {
		return nil, fmt.Errorf("measure tables: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[storage])
	if err != nil {
		return nil, fmt.Errorf("measure tables: %w", err)
	}
	return list, nil
}
