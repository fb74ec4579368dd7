package cmdb

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/store/db"
)

// modelName matches the names of classes, attributes and relationship types. They need no quotes in
// a filter, a column or a URL.
var modelName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// changeModel runs f in a transaction with the advisory lock of the class model, so that what f has
// checked is still true when it commits.
func (s *Store) changeModel(ctx context.Context, f func(pgx.Tx) error) error {
	return s.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('muster model'))`); err != nil {
			return fmt.Errorf("lock class model: %w", err)
		}
		return f(tx)
	})
}

// checkName returns an inventory.Error with CodeInvalid for a name that modelName does not match.
func checkName(what, name string) error {
	if !modelName.MatchString(name) {
		return db.Invalid("%s name %q must be a letter a to z, then at most 62 of a to z, 0 to 9 and _", what, name)
	}
	return nil
}

// use is a use of a part of the model: a query for the name of the first user, and a text for error
// messages.
type use struct{ sql, of string }

// unused returns an inventory.Error with CodeConflict if the named part of the model is in use.
func unused(ctx context.Context, tx pgx.Tx, what string, uses []use, args ...any) error {
	for _, u := range uses {
		var name string
		err := tx.QueryRow(ctx, u.sql, args...).Scan(&name)
		switch {
		case db.IsNoRows(err):
		case err != nil:
			return fmt.Errorf("find uses: %w", err)
		default:
			return db.Conflict("%s is in use: %s %s", what, u.of, name)
		}
	}
	return nil
}
