package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// minVersion and maxVersion are the lowest and highest PostgreSQL major versions that the store
// supports.
const (
	minVersion = 15
	maxVersion = 18
)

// ErrSchemaNewer reports a database that a newer program has migrated.
var ErrSchemaNewer = errors.New("the database was migrated by a newer muster-collector; update this one")

// Migrate applies all missing migrations to a database. It holds an advisory lock, so that
// collectors that start at the same time migrate one after the other. A migration that fails is
// rolled back.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("parse database url: %w", err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()

	var version int
	if err := db.QueryRowContext(ctx, `select current_setting('server_version_num')::int / 10000`).Scan(&version); err != nil {
		return fmt.Errorf("connect to database: %w", err)
	}
	if version < minVersion || version > maxVersion {
		return fmt.Errorf("PostgreSQL %d is not supported: use version %d to %d", version, minVersion, maxVersion)
	}

	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if current > target {
		return ErrSchemaNewer
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// SchemaVersion returns the schema version after Migrate.
func SchemaVersion() (int64, error) {
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	last := entries[len(entries)-1].Name()
	version, err := goose.NumericComponent(last)
	if err != nil {
		return 0, fmt.Errorf("read migration %s: %w", last, err)
	}
	return version, nil
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("prepare migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	return provider, nil
}
