package cmdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// selectRelationshipTypes is a query for rows of inventory.RelationshipType, without its
// conditions.
const selectRelationshipTypes = `
	select name, verb, inverse_verb, from_class, to_class, impact, built_in from relationship_type`

// RelationshipTypes lists the relationship types by name.
func (s *Store) RelationshipTypes(ctx context.Context) ([]inventory.RelationshipType, error) {
	return db.Collect[inventory.RelationshipType](ctx, s.Pool, "read relationship types",
		selectRelationshipTypes+` order by name`)
}

// FindRelationshipType returns a relationship type. It reports false if there is none.
func FindRelationshipType(ctx context.Context, tx pgx.Tx, name string) (inventory.RelationshipType, bool, error) {
	t, found, err := db.One[inventory.RelationshipType](ctx, tx,
		selectRelationshipTypes+` where name = @name`, pgx.NamedArgs{"name": name})
	if err != nil {
		return t, false, fmt.Errorf("find relationship type: %w", err)
	}
	return t, found, nil
}

// impacts are the values of impact: which end of a relationship is affected if the other fails.
var impacts = []string{"none", "from_suffers", "to_suffers"}

// CreateRelationshipType adds a relationship type. The default classes are the root, the default
// impact is none. If the type already exists, it returns an inventory.Error with CodeConflict.
func (s *Store) CreateRelationshipType(ctx context.Context, t inventory.RelationshipType) error {
	if err := completeRelationshipType(&t); err != nil {
		return err
	}
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		existing, found, err := FindRelationshipType(ctx, tx, t.Name)
		if err != nil {
			return err
		}
		if found {
			return db.Conflict("relationship type %s already exists: a %s %s a %s",
				t.Name, existing.FromClass, existing.Verb, existing.ToClass)
		}
		tree, err := ReadClassTree(ctx, tx)
		if err != nil {
			return err
		}
		for _, class := range []string{t.FromClass, t.ToClass} {
			if err := tree.check(class); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `
			insert into relationship_type (name, verb, inverse_verb, from_class, to_class, impact)
			values ($1, $2, $3, $4, $5, $6)`,
			t.Name, t.Verb, t.InverseVerb, t.FromClass, t.ToClass, t.Impact)
		if err != nil {
			return fmt.Errorf("create relationship type: %w", err)
		}
		return nil
	})
}

// completeRelationshipType checks a relationship type and sets the defaults.
func completeRelationshipType(t *inventory.RelationshipType) error {
	if err := checkName("relationship type", t.Name); err != nil {
		return err
	}
	if t.Verb == "" || t.InverseVerb == "" {
		return db.Invalid("relationship type %s needs a verb and an inverse verb", t.Name)
	}
	if t.FromClass == "" {
		t.FromClass = inventory.RootClass
	}
	if t.ToClass == "" {
		t.ToClass = inventory.RootClass
	}
	if t.Impact == "" {
		t.Impact = impacts[0]
	}
	if !slices.Contains(impacts, t.Impact) {
		return db.Invalid("impact %q of relationship type %s is none of %s",
			t.Impact, t.Name, strings.Join(impacts, ", "))
	}
	return nil
}

// DeleteRelationshipType deletes a relationship type. If it is built in, or if there is or was a
// relationship of it, it returns an inventory.Error with CodeConflict.
func (s *Store) DeleteRelationshipType(ctx context.Context, name string) error {
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		t, found, err := FindRelationshipType(ctx, tx, name)
		if err != nil || !found {
			return db.OrElse(err, db.NotFound("there is no relationship type %s", name))
		}
		if t.BuiltIn {
			return db.Conflict("relationship type %s is built in", name)
		}
		// Only relationships refer to it. The foreign key finds them; no index on their type would
		// be faster.
		_, err = tx.Exec(ctx, `delete from relationship_type where name = $1`, name)
		if db.IsUsed(err) {
			return db.Conflict("relationship type %s is in use: there are or were relationships of it", name)
		}
		if err != nil {
			return fmt.Errorf("delete relationship type: %w", err)
		}
		return nil
	})
}
