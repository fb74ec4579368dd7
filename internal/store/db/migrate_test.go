package db

import (
	"errors"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, Migrate) }

func openDB(t *testing.T) *DB {
	t.Helper()
	d, err := Open(t.Context(), pgtest.New(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// TestMigrate covers collectors that start together on an empty database, a second start, and a
// database that a newer program has migrated.
func TestMigrate(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	for _, statement := range []string{`drop schema public cascade`, `create schema public`} {
		if _, err := d.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const collectors = 3
	done := make(chan error, collectors)
	for range collectors {
		go func() { done <- Migrate(t.Context(), url) }()
	}
	for range collectors {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := Migrate(t.Context(), url); err != nil {
		t.Errorf("a second start: %v", err)
	}
	var classes int
	if err := d.Pool.QueryRow(t.Context(), `select count(*) from ci_class`).Scan(&classes); err != nil || classes == 0 {
		t.Errorf("%d classes, %v", classes, err)
	}
	if _, err := d.Pool.Exec(t.Context(), `insert into goose_db_version (version_id, is_applied) values (9999, true)`); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(t.Context(), url); !errors.Is(err, ErrSchemaNewer) {
		t.Errorf("a newer schema: %v, want %v", err, ErrSchemaNewer)
	}
}

// TestMigrationInterrupted: a collector that is killed during a migration leaves an empty database
// behind, which the next one migrates.
func TestMigrationInterrupted(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	for _, statement := range []string{`drop schema public cascade`, `create schema public`} {
		if _, err := d.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	// The last table of the schema is already being made, so the migration stops before its end.
	blocker, err := d.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocker.Exec(t.Context(), `create table audit_entry (at timestamptz)`); err != nil {
		t.Fatal(err)
	}
	interrupted := make(chan error, 1)
	go func() { interrupted <- Migrate(t.Context(), url) }()
	var blocked string
	until(t, "the migration to be blocked", func() bool {
		err := d.Pool.QueryRow(t.Context(), `
			select coalesce(min(pid), 0)::text from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock'`).Scan(&blocked)
		return err == nil && blocked != "0"
	})
	if _, err := d.Pool.Exec(t.Context(), `select pg_terminate_backend(`+blocked+`)`); err != nil {
		t.Fatal(err)
	}
	if err := <-interrupted; err == nil {
		t.Error("an interrupted migration reports success")
	}
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	var tables int
	err = d.Pool.QueryRow(t.Context(), `
		select count(*) from pg_tables where schemaname = 'public' and tablename <> 'goose_db_version'`).Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("the interrupted migration left %d tables, %v", tables, err)
	}
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatalf("after the interruption: %v", err)
	}
	if err := d.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
