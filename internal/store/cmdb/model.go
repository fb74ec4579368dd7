package cmdb

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/store/db"
)

// modelName is what classes, attributes and relationship types may be called: words that need no quoting in a filter, a
// column or a URL.
var modelName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// changeModel runs f in a transaction. Changes of the model follow one another, so that what f has checked holds.
func (s *Store) changeModel(ctx context.Context, f func(pgx.Tx) error) error {
	return s.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('muster model'))`); err != nil {
			return fmt.Errorf("take turn: %w", err)
		}
		return f(tx)
	})
}

// checkName reports an inventory.Error where something cannot be called that.
func checkName(what, name string) error {
	if !modelName.MatchString(name) {
		return db.Invalid("%s name %q must begin with a to z and go on with at most 62 of a to z, 0 to 9 and _", what, name)
	}
	return nil
}

// use is something that a part of the model is needed for: a statement that finds the first of it, named for people.
type use struct{ sql, of string }

// unused reports an inventory.Error where the named part of the model is in use.
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
