// Package items keeps what machines hold: each item is interned once for the whole fleet, the
// inventory of a source record is a set of item ids, and its history is what changed. It knows no
// section but software, which people search, and decides nothing: ingest computes the changes.
// Start reading at Intern and Write.
package items

import "github.com/musterhq/muster/internal/store/db"

// Store interns items and applies changes of inventories. It is safe for concurrent use.
type Store struct {
	*db.DB

	sections   *sectionIDs
	readings   *ReadingCodec
	first      *firstReadings
	partitions partitionClock
	bases      *baseCatalog
}

// New returns a store over a database.
func New(database *db.DB) (*Store, error) {
	codec, err := NewReadingCodec()
	if err != nil {
		return nil, err
	}
	bases, err := newBaseCatalog()
	if err != nil {
		return nil, err
	}
	return &Store{
		DB: database, sections: newSectionIDs(), readings: codec, first: newFirstReadings(), bases: bases,
	}, nil
}
