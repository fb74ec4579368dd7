// Package store opens PostgreSQL for the collector: it composes the packages below it, each of
// which has one subject. Only they import pgx. Start reading at the package of the subject: agents,
// items, cmdb, resolve, or db for transactions.
package store

import (
	"context"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/agents"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/store/resolve"
)

// Aliases name the embedded fields of Store.
type (
	agentStore   = agents.Store
	itemStore    = items.Store
	cmdbStore    = cmdb.Store
	resolveStore = resolve.Store
)

// Store is all of the store over one connection pool. It is safe for concurrent use.
type Store struct {
	*db.DB
	*agentStore
	*itemStore
	*cmdbStore
	*resolveStore
}

// Options configures a store; the zero value is valid.
type Options = db.Options

// Migrate brings the schema of a database up to date; see db.Migrate.
func Migrate(ctx context.Context, url string) error { return db.Migrate(ctx, url) }

// Unavailable returns the outage that an error is about, or nil; see db.Unavailable.
func Unavailable(err error) *inventory.Error { return db.Unavailable(err) }

// Open connects to a database that db.Migrate has been applied to. The caller closes the store.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	database, err := db.Open(ctx, url, o)
	if err != nil {
		return nil, err
	}
	s, err := compose(database)
	if err != nil {
		database.Close()
		return nil, err
	}
	return s, nil
}

func compose(database *db.DB) (*Store, error) {
	itemStore, err := items.New(database)
	if err != nil {
		return nil, err
	}
	cmdbStore, err := cmdb.New(database)
	if err != nil {
		return nil, err
	}
	return &Store{
		DB: database, agentStore: agents.New(database), itemStore: itemStore, cmdbStore: cmdbStore,
		resolveStore: resolve.New(database, itemStore, cmdbStore),
	}, nil
}
