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

const selectAttributes = `
	select class, name, type, choices, label, description, built_in from ci_attribute`

// Attributes lists the attributes of a class, those of the classes above it included, by name. "" gives all that are
// declared, those of one name by class.
func (s *Store) Attributes(ctx context.Context, class string) ([]inventory.Attribute, error) {
	var attributes []inventory.Attribute
	err := s.Read(ctx, func(tx pgx.Tx) error {
		var above []string
		if class != "" {
			var err error
			if above, err = ClassAndAbove(ctx, tx, class); err != nil {
				return err
			}
		}
		var err error
		attributes, err = attributesOf(ctx, tx, above)
		return err
	})
	return attributes, err
}

// attributesOf lists the attributes that classes declare; nil: all classes.
func attributesOf(ctx context.Context, tx pgx.Tx, classes []string) ([]inventory.Attribute, error) {
	return db.Collect[inventory.Attribute](ctx, tx, "read attributes", selectAttributes+`
		where @classes::text[] is null or class = any(@classes)
		order by name, class`, pgx.NamedArgs{"classes": classes})
}

// attributeTypes are the types that attributes can be of.
var attributeTypes = []string{
	typeText, typeInteger, typeNumber, typeBoolean, typeDate, typeTimestamp, typeChoice,
}

const (
	typeText      = "text"
	typeInteger   = "integer"
	typeNumber    = "number"
	typeBoolean   = "boolean"
	typeDate      = "date"
	typeTimestamp = "timestamp"
	typeChoice    = "choice"
)

// reservedAttributes are names of what every CI has beside its attributes.
var reservedAttributes = []string{"id", "class", "name", "first_seen", "last_seen", "retired_at", "retired_by", "retire_reason"}

// CreateAttribute declares an attribute for a class and those below it. One that the class has already, or that a class
// below it has with another type, is an inventory.Error with CodeConflict.
func (s *Store) CreateAttribute(ctx context.Context, a inventory.Attribute) error {
	if err := checkAttribute(a); err != nil {
		return err
	}
	if a.Label == "" {
		a.Label = a.Name
	}
	if a.Choices == nil {
		a.Choices = []string{}
	}
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		if err := undeclared(ctx, tx, a); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			insert into ci_attribute (class, name, type, choices, label, description) values ($1, $2, $3, $4, $5, $6)`,
			a.Class, a.Name, a.Type, a.Choices, a.Label, a.Description)
		if err != nil {
			return fmt.Errorf("create attribute: %w", err)
		}
		return nil
	})
}

func checkAttribute(a inventory.Attribute) error {
	if err := checkName("attribute", a.Name); err != nil {
		return err
	}
	if a.Class == "" {
		return db.Invalid("attribute %s needs a class", a.Name)
	}
	if slices.Contains(reservedAttributes, a.Name) {
		return db.Invalid("every configuration item has a %s beside its attributes", a.Name)
	}
	if !slices.Contains(attributeTypes, a.Type) {
		return db.Invalid("type %q of attribute %s is none of %s", a.Type, a.Name, strings.Join(attributeTypes, ", "))
	}
	if (a.Type == typeChoice) != (len(a.Choices) > 0) {
		return db.Invalid("attribute %s: choices go with the type choice, and that needs some", a.Name)
	}
	for i, choice := range a.Choices {
		if choice == "" || slices.Contains(a.Choices[:i], choice) {
			return db.Invalid("attribute %s: choice %q is empty or given twice", a.Name, choice)
		}
	}
	return nil
}

// undeclared reports an inventory.Error where an attribute would contradict one that is declared.
func undeclared(ctx context.Context, tx pgx.Tx, a inventory.Attribute) error {
	tree, err := ReadClassTree(ctx, tx)
	if err != nil {
		return err
	}
	above, err := tree.Above(a.Class)
	if err != nil {
		return err
	}
	line, err := tree.Line(a.Class)
	if err != nil {
		return err
	}
	related, err := attributesOf(ctx, tx, line)
	if err != nil {
		return err
	}
	for _, other := range related {
		switch {
		case other.Name != a.Name:
		case slices.Contains(above, other.Class):
			return db.Conflict("class %s has an attribute %s already: %q, a %s, declared for %s",
				a.Class, a.Name, other.Label, other.Type, other.Class)
		case other.Type != a.Type:
			return db.Conflict("class %s, which is below %s, has an attribute %s of another type: %q, a %s",
				other.Class, a.Class, a.Name, other.Label, other.Type)
		}
	}
	return nil
}

// DeleteAttribute takes back a declaration that people made, while no CI has or had a value of it. Anything else is an
// inventory.Error with CodeConflict.
func (s *Store) DeleteAttribute(ctx context.Context, class, name string) error {
	return s.changeModel(ctx, func(tx pgx.Tx) error {
		a, found, err := db.One[inventory.Attribute](ctx, tx, selectAttributes+` where class = @class and name = @name`,
			pgx.NamedArgs{"class": class, "name": name})
		if err != nil || !found {
			return db.OrElse(err, db.NotFound("class %s declares no attribute %s", class, name))
		}
		if a.BuiltIn {
			return db.Conflict("attribute %s of class %s is built in", name, class)
		}
		below, err := ClassAndBelow(ctx, tx, class)
		if err != nil {
			return err
		}
		if err := unused(ctx, tx, "attribute "+name, attributeUses, below, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from ci_attribute where class = $1 and name = $2`, class, name); err != nil {
			return fmt.Errorf("delete attribute: %w", err)
		}
		return nil
	})
}

// attributeUses are what keeps an attribute of some classes from being deleted.
var attributeUses = []use{
	{`select ci_id::text from ci_version where class = any($1) and attributes ? $2 limit 1`, "there is or was a value of configuration item"},
	{`select record_id::text from record_version where (class = '' or class = any($1)) and attributes ? $2 limit 1`, "there is or was a value of source record"},
	{`
		select l.attribute
		from attribute_lock l
		join assignment m on m.record_id = l.record_id
		join ci_version d on d.ci_id = m.ci_id
		where d.class = any($1) and l.attribute = $2
		limit 1`, "it is or was locked as"},
}
