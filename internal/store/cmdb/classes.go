package cmdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Classes lists the classes of CIs by name.
func (s *Store) Classes(ctx context.Context) ([]inventory.Class, error) {
	return db.Collect[inventory.Class](ctx, s.Pool, "read classes", selectClasses+` order by name`)
}

// selectClasses is a query for rows of inventory.Class, without its conditions.
const selectClasses = `
	select name, coalesce(parent, '') as parent, label, description, built_in from ci_class`

// CreateClass adds a class. The default parent is the root. If the class already exists, it returns
// an inventory.Error with CodeConflict.
func (s *Store) CreateClass(ctx context.Context, c inventory.Class) error {
	if err := checkName("class", c.Name); err != nil {
		return err
	}
	if c.Parent == "" {
		c.Parent = inventory.RootClass
	}
	if c.Label == "" {
		c.Label = c.Name
	}
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		existing, found, err := findClass(ctx, tx, c.Name)
		if err != nil {
			return err
		}
		if found {
			return db.Conflict("class %s already exists: %q, below %q", c.Name, existing.Label, existing.Parent)
		}
		// A new class has no class below it, so that it cannot be part of a cycle.
		if _, found, err = findClass(ctx, tx, c.Parent); err != nil || !found {
			return db.OrElse(err, db.Invalid("there is no class %s, the parent of %s", c.Parent, c.Name))
		}
		_, err = tx.Exec(ctx, `
			insert into ci_class (name, parent, label, description) values ($1, $2, $3, $4)`,
			c.Name, c.Parent, c.Label, c.Description)
		if err != nil {
			return fmt.Errorf("create class: %w", err)
		}
		// A record without a class may be any thing: its identifiers are claimed in every base
		// class.
		_, err = tx.Exec(ctx, `
			select claim_identifiers(array_agg($1::text), array_agg(i.identifier), array_agg(e.record_id))
			from source_record r join evidence e on e.record_id = r.id cross
				join lateral unnest(e.identifiers) i (identifier)
			where $2 and r.base_class = ''`, c.Name, c.Parent == inventory.RootClass)
		if err != nil {
			return fmt.Errorf("claim identifiers for class: %w", err)
		}
		return nil
	})
}

func findClass(ctx context.Context, tx pgx.Tx, name string) (inventory.Class, bool, error) {
	c, found, err := db.One[inventory.Class](ctx, tx, selectClasses+` where name = @name`, pgx.NamedArgs{"name": name})
	if err != nil {
		return c, false, fmt.Errorf("find class: %w", err)
	}
	return c, found, nil
}

// classUses are the uses of the class $1. Past versions count, because queries for the past read
// them.
var classUses = []use{
	{`select name from ci_class where parent = $1 order by name limit 1`, "it is the parent of class"},
	{`select name from ci_attribute where class = $1 order by name limit 1`, "it declares attribute"},
	{`
		select name from relationship_type where from_class = $1 or to_class = $1 order by name limit 1`,
		"of relationship type"},
	{`select ci_id::text from ci_version where class = $1 limit 1`, "it is or was the class of configuration item"},
	{`select record_id::text from record_version where class = $1 limit 1`, "it is or was reported by source record"},
	{`select name from baseline where class = $1 limit 1`, "of baseline"},
}

// DeleteClass deletes a class. If it is built in, or if it is or was in use, it returns an
// inventory.Error with CodeConflict.
func (s *Store) DeleteClass(ctx context.Context, name string) error {
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		c, found, err := findClass(ctx, tx, name)
		if err != nil || !found {
			return db.OrElse(err, db.NotFound("there is no class %s", name))
		}
		if c.BuiltIn {
			return db.Conflict("class %s is built in", name)
		}
		if err := unused(ctx, tx, "class "+name, classUses, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from ci_class where name = $1`, name); err != nil {
			return fmt.Errorf("delete class: %w", err)
		}
		return nil
	})
}
