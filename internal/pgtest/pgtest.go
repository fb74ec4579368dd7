// Package pgtest provides real PostgreSQL servers for tests: a database per test, cloned from a
// template that is migrated once per test binary, or a whole server that the test may stop and
// crash. It is never part of a program. Start reading at Main and New.
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

// Migrate migrates the empty database at url to the newest schema.
type Migrate func(ctx context.Context, url string) error

// binary is the state that all tests of a test binary share. Package testing offers no place for it
// except a package variable.
type binary struct {
	migrate Migrate
	once    sync.Once
	err     error
	cluster *postgres.Cluster
	dir     string
	clones  atomic.Int64
	cloning sync.Mutex // the statements below lock the catalog; one after the other they are faster
	admin   *pgx.Conn
}

var shared binary

// Main runs the tests of a package that calls New, then stops the server and exits. TestMain calls
// it. migrate prepares the template of the tests' databases; nil leaves it empty.
func Main(m interface{ Run() int }, migrate Migrate) {
	shared.migrate = migrate
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

// New returns the URL of a new database, which is dropped at the end of the test. If PostgreSQL is
// not installed, New skips the test, or fails it under CI=true. It takes about 40 ms; cloning
// through the WAL saves the two checkpoints of copying files.
func New(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.err = shared.start() })
	check(t, shared.err)
	name := fmt.Sprintf("test_%d", shared.clones.Add(1))
	check(t, shared.exec("CREATE DATABASE "+name+" OWNER "+postgres.Database+" TEMPLATE "+postgres.Database+
		" STRATEGY wal_log"))
	t.Cleanup(func() {
		if err := shared.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return databaseURL(shared.cluster.URL(), name)
}

// check ends the test on an error. It skips the test only if PostgreSQL is not installed.
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

// startLimit bounds the start of the server. It is long because the machine may be busy: making a
// cluster and migrating it take 2 s on an idle one.
const startLimit = 5 * time.Minute

func (b *binary) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	sweep(os.TempDir())
	var err error
	if b.dir, err = os.MkdirTemp("", dirPrefix); err != nil {
		return err
	}
	if b.cluster, err = postgres.Start(ctx, postgres.Options{Dir: b.dir, Settings: unsafeSettings()}); err != nil {
		return err
	}
	if b.migrate != nil {
		if err := b.migrate(ctx, b.cluster.URL()); err != nil {
			return fmt.Errorf("migrate the template: %w", err)
		}
	}
	if b.admin, err = pgx.Connect(ctx, databaseURL(b.cluster.AdminURL(), "postgres")); err != nil {
		return err
	}
	return b.exec("ALTER ROLE " + postgres.Database + " CREATEDB") // for tests that make databases themselves
}

func (b *binary) exec(statement string) error {
	b.cloning.Lock()
	defer b.cloning.Unlock()
	_, err := b.admin.Exec(context.Background(), statement)
	return err
}

func (b *binary) stop() {
	if b.cluster != nil {
		_ = b.cluster.Stop(context.Background()) // the data is deleted anyway
	}
	if b.dir != "" {
		_ = os.RemoveAll(b.dir) // the next run removes what is left
	}
}

// unsafeSettings trade durability for speed, because the data is temporary.
func unsafeSettings() map[string]string {
	return map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		"shared_buffers": "64MB", "max_wal_size": "512MB", "autovacuum": "off",
		"max_connections": "400", // a pool for each of the parallel tests
	}
}

// databaseURL returns u with another database.
func databaseURL(u, name string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		panic(err) // the URL comes from postgres.Cluster
	}
	parsed.Path = "/" + name
	return parsed.String()
}
