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

const selectRelationshipTypes = `
	select name, verb, inverse_verb, from_class, to_class, impact, built_in from relationship_type`

// RelationshipTypes lists the kinds of relationships by name.
func (s *Store) RelationshipTypes(ctx context.Context) ([]inventory.RelationshipType, error) {
	return db.Collect[inventory.RelationshipType](ctx, s.Pool, "read relationship types",
		selectRelationshipTypes+` order by name`)
}

func FindRelationshipType(ctx context.Context, tx pgx.Tx, name string) (inventory.RelationshipType, bool, error) {
	t, found, err := db.One[inventory.RelationshipType](ctx, tx, selectRelationshipTypes+` where name = @name`, pgx.NamedArgs{"name": name})
	if err != nil {
		return t, false, fmt.Errorf("find relationship type: %w", err)
	}
	return t, found, nil
}

// impacts says which end of a relationship suffers when the other fails.
var impacts = []string{"none", "from_suffers", "to_suffers"}

// CreateRelationshipType adds a kind of relationship. Without classes it holds between any CIs, without an impact
// neither end suffers from the other. A name that is taken is an inventory.Error with CodeConflict.
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
			return db.Conflict("there is a relationship type %s already: a %s %s a %s", t.Name, existing.FromClass, existing.Verb, existing.ToClass)
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
			insert into relationship_type (name, verb, inverse_verb, from_class, to_class, impact) values ($1, $2, $3, $4, $5, $6)`,
			t.Name, t.Verb, t.InverseVerb, t.FromClass, t.ToClass, t.Impact)
		if err != nil {
			return fmt.Errorf("create relationship type: %w", err)
		}
		return nil
	})
}

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
		return db.Invalid("impact %q of relationship type %s is none of %s", t.Impact, t.Name, strings.Join(impacts, ", "))
	}
	return nil
}

// DeleteRelationshipType deletes a kind of relationship that people made and that there never was one of. Anything else
// is an inventory.Error with CodeConflict.
func (s *Store) DeleteRelationshipType(ctx context.Context, name string) error {
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		t, found, err := FindRelationshipType(ctx, tx, name)
		if err != nil || !found {
			return db.OrElse(err, db.NotFound("there is no relationship type %s", name))
		}
		if t.BuiltIn {
			return db.Conflict("relationship type %s is built in", name)
		}
		// The relationships are the one thing that refers to it, and no index finds them as fast as their foreign key.
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
