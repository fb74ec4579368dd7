package rpmdb

import (
	"fmt"
	"iter"

	"github.com/musterhq/muster/agent/section/software/sqlitefile"
)

// The table of packages (rpm's lib/backend/sqlite.c): hnum, the row's ID, and blob, the header.
const (
	packagesTable = "Packages"
	blobColumn    = 1
)

// SQLite iterates over the package headers of an "rpmdb.sqlite", in the same way as BerkeleyDB.
func SQLite(db *sqlitefile.File) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for row, err := range db.Table(packagesTable) {
			header := row.Bytes(blobColumn)
			if err == nil && header == nil {
				err = fmt.Errorf("%w: no header in row %d", ErrFormat, row.ID)
			}
			if !yield(header, err) {
				return
			}
		}
	}
}
