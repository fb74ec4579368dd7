// Package cmdb stores the class model and reads configuration items: lists, details, relationships,
// graphs, changes, baselines, reviews and the views of devices and software, now and as of any past
// instant. It never decides which records are one CI or which value wins: package resolve does.
// Start reading at ListCIs and versions.go.
package cmdb

import (
	"github.com/musterhq/muster/internal/store/db"
	"github.com/musterhq/muster/internal/store/items"
)

// Store reads configuration items and stores their model. It is safe for concurrent use.
type Store struct {
	*db.DB

	readings *items.ReadingCodec
}

// New returns a store over a database.
func New(database *db.DB) (*Store, error) {
	codec, err := items.NewReadingCodec()
	if err != nil {
		return nil, err
	}
	return &Store{DB: database, readings: codec}, nil
}
