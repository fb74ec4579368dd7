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
