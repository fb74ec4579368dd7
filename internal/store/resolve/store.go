// Package resolve is the unit of work that changes configuration items: it applies the observations
// of source records, identifies which records are one CI, reconciles which value of each attribute
// is effective, and writes the outcome in one transaction. identify and reconcile decide; this
// package reads what they need and writes what they decided. Start reading at Resolve.
package resolve

import (
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
	"github.com/musterhq/muster/internal/store/items"
)

// Store resolves source records into configuration items. It is safe for concurrent use.
type Store struct {
	*db.DB

	items *items.Store
	cmdb  *cmdb.Store
	rules *ruleSet
}

// New returns a store over a database that decides by the built-in rules.
func New(database *db.DB, items *items.Store, cmdb *cmdb.Store) *Store {
	return &Store{DB: database, items: items, cmdb: cmdb, rules: defaultRules()}
}
