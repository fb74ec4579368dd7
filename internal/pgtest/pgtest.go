// Package pgtest gives each test a real PostgreSQL: a database of its own, cloned from a template that is migrated
// once per test binary, or a whole server that the test may ill-treat. It is for tests only and never part of a
// program.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/postgres"
)

// Migrate brings the empty database at url to the newest schema.
type Migrate func(ctx context.Context, url string) error

// binary is what all tests of a test binary share. testing has no other place for it than a package variable.
type binary struct {
	migrate Migrate
	once    sync.Once
	err     error
	cluster *postgres.Cluster
	dir     string
	clones  atomic.Int64
	cloning sync.Mutex // the statements below hold locks on the catalog; in a row they are faster
	admin   *pgx.Conn
}

var shared binary

// Main runs the tests of a package whose tests call New, and stops the server at their end. It is called by
// TestMain and does not return. Each test's database is what migrate made of an empty one; nil leaves it empty.
func Main(m interface{ Run() int }, migrate Migrate) {
	shared.migrate = migrate
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

// New gives the URL of a database of the test's own, which is dropped at its end. Where no PostgreSQL is
// installed the test is skipped, but under CI=true it fails. It costs a test about 40 ms: copying by way of the WAL
// spares the two checkpoints of copying files.
func New(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.err = shared.start() })
	check(t, shared.err)
	name := fmt.Sprintf("test_%d", shared.clones.Add(1))
	check(t, shared.exec("CREATE DATABASE "+name+" TEMPLATE "+postgres.Database+" STRATEGY wal_log"))
	t.Cleanup(func() {
		if err := shared.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return databaseURL(shared.cluster.URL(), name)
}

// check ends the test at an error, which is a reason to skip it only where there can be no PostgreSQL.
func check(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

func (b *binary) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sweep(os.TempDir())
	var err error
	if b.dir, err = os.MkdirTemp("", dirPrefix); err != nil {
		return err
	}
	if b.cluster, err = postgres.Start(ctx, postgres.Options{Dir: b.dir, Settings: careless()}); err != nil {
		return err
	}
	if b.migrate != nil {
		if err := b.migrate(ctx, b.cluster.URL()); err != nil {
			return fmt.Errorf("migrate the template: %w", err)
		}
	}
	b.admin, err = pgx.Connect(ctx, databaseURL(b.cluster.URL(), "postgres"))
	return err
}

func (b *binary) exec(statement string) error {
	b.cloning.Lock()
	defer b.cloning.Unlock()
	_, err := b.admin.Exec(context.Background(), statement)
	return err
}

func (b *binary) stop() {
	if b.cluster != nil {
		_ = b.cluster.Stop(context.Background()) // its data is thrown away
	}
	if b.dir != "" {
		_ = os.RemoveAll(b.dir) // what is left, the next run sweeps
	}
}

// careless are settings for data that nobody will miss.
func careless() map[string]string {
	return map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		"shared_buffers": "64MB", "max_wal_size": "512MB", "autovacuum": "off",
		"max_connections": "400", // a pool for each of the tests that run at once
	}
}

// databaseURL is url with another database.
func databaseURL(u, name string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		panic(err) // it came from postgres.Cluster
	}
	parsed.Path = "/" + name
	return parsed.String()
}
