package cmdb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// ciField is something that CIs can be filtered and sorted by.
type ciField struct {
	attribute inventory.Attribute // its name and type, and the choices
	expr      string              // of the version d and its CI c; what is not known comes before all that is
	cast      string              // the SQL type of expr
	known     string              // tells whether there is a value
}

// The fields of a CI that are no attributes.
var ownFields = map[string]ciField{
	"class": textField("class", `d.class`),
	"name":  textField("name", `d.name`),
	"first_seen": {
		attribute: inventory.Attribute{Name: "first_seen", Type: typeTimestamp},
		expr:      `c.created_at`, cast: "timestamptz", known: `true`,
	},
	"last_seen": {
		attribute: inventory.Attribute{Name: "last_seen", Type: typeTimestamp},
		expr:      `coalesce(seen.seen_at, '-infinity')`, cast: "timestamptz",
		known: `seen.seen_at is not null`,
	},
}

func textField(name, expr string) ciField {
	return ciField{attribute: inventory.Attribute{Name: name, Type: typeText}, expr: expr, cast: "text", known: expr + ` <> ''`}
}

// ciFields finds the fields of the CIs of a class, and keeps the arguments that their expressions need.
type ciFields struct {
	class    string // in error messages
	tree     ClassTree
	declared []inventory.Attribute
	args     pgx.NamedArgs
}

// newCIFields reads the attributes that CIs of a class can have: those of the classes above it, which all of its CIs
// have, and those of the classes below it, which some have. "" is any class.
func newCIFields(ctx context.Context, tx pgx.Tx, class string, args pgx.NamedArgs) (*ciFields, error) {
	if class == "" {
		class = inventory.RootClass
	}
	tree, err := ReadClassTree(ctx, tx)
	if err != nil {
		return nil, err
	}
	line, err := tree.Line(class)
	if err != nil {
		return nil, err
	}
	declared, err := attributesOf(ctx, tx, line)
	return &ciFields{class: class, tree: tree, declared: declared, args: args}, err
}

// find gives the field of a name. Where classes mean different things by it, it is an inventory.Error.
func (f *ciFields) find(name string) (ciField, error) {
	if own, ok := ownFields[name]; ok {
		return own, nil
	}
	var found *inventory.Attribute
	for _, a := range f.declared {
		switch {
		case a.Name != name:
		case found == nil:
			found = &a
		case found.Type != a.Type:
			return ciField{}, db.Invalid("attribute %s is a %s of class %s and a %s of class %s: ask for one of them",
				name, found.Type, found.Class, a.Type, a.Class)
		default:
			found.Choices = slices.Concat(found.Choices, a.Choices)
		}
	}
	if found == nil {
		return ciField{}, db.Invalid("class %s has no attribute %s", f.class, name)
	}
	return f.ofAttribute(*found), nil
}

// ofAttribute compares numbers as numbers, and what is kept in a form that sorts as text as that. No value that came to
// be stored makes an expression fail.
func (f *ciFields) ofAttribute(a inventory.Attribute) ciField {
	arg := fmt.Sprintf("attribute_%d", len(f.args))
	f.args[arg] = a.Name
	text := `coalesce(d.attributes ->> @` + arg + `, '')`
	field := textField(a.Name, text)
	switch a.Type {
	case typeInteger, typeNumber:
		field.expr = `coalesce(case when jsonb_typeof(d.attributes -> @` + arg + `) = 'number' then (d.attributes ->> @` + arg +
			`)::numeric end, '-Infinity'::numeric)`
		field.cast, field.known = "numeric", field.expr+` <> '-Infinity'`
	case typeDate:
		field.expr = `(` + text + ` collate "C")`
	case typeTimestamp: // whose fractions of a second are as long as they need to be
		field.expr = `(rtrim(` + text + `, 'Z') collate "C")`
	}
	field.attribute = a
	return field
}

// operators are the comparisons of a Condition, as SQL.
var operators = map[string]string{"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

// condition is a condition as SQL.
func (f *ciFields) condition(c inventory.Condition) (string, error) {
	field, err := f.find(c.Attribute)
	if err != nil {
		return "", err
	}
	arg := fmt.Sprintf("value_%d", len(f.args))
	if c.Operator == ":" {
		if c.Value == "*" {
			return field.known, nil
		}
		f.args[arg] = db.Contains(c.Value)
		return `lower((` + field.expr + `)::text) like lower(@` + arg + `) and ` + field.known, nil
	}
	operator, ok := operators[c.Operator]
	if !ok {
		return "", db.Invalid("filter: there is no operator %q", c.Operator)
	}
	if c.Value == "" {
		return field.unknownOr(c.Operator)
	}
	if field.attribute.Type == typeBoolean && c.Operator != "=" && c.Operator != "!=" {
		return "", db.Invalid("filter: %s is true or false, it is not more or less", c.Attribute)
	}
	if f.args[arg], err = field.operand(c.Value); err != nil {
		return "", err
	}
	return fmt.Sprintf(`(%s %s @%s::%s and %s)`, field.expr, operator, arg, field.cast, field.known), nil
}

// unknownOr compares with nothing: what is not known equals it.
func (f ciField) unknownOr(operator string) (string, error) {
	switch operator {
	case "=":
		return `not (` + f.known + `)`, nil
	case "!=":
		return f.known, nil
	default:
		return "", db.Invalid("filter: %s cannot be more or less than nothing", f.attribute.Name)
	}
}

// operand is the value that a field is compared with.
func (f ciField) operand(value string) (any, error) {
	if f.attribute.Type == typeTimestamp {
		if day, err := time.Parse(time.DateOnly, value); err == nil {
			value = day.Format(time.RFC3339)
		}
	}
	converted, err := convert(f.attribute, value)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	text := fmt.Sprint(converted)
	if f.attribute.Type == typeTimestamp && f.cast == "text" {
		text = strings.TrimSuffix(text, "Z")
	}
	return text, nil
}

// conditions are all conditions as SQL.
func (f *ciFields) conditions(filter []inventory.Condition) ([]string, error) {
	var list []string
	for _, c := range filter {
		sql, err := f.condition(c)
		if err != nil {
			return nil, err
		}
		list = append(list, sql)
	}
	return list, nil
}
