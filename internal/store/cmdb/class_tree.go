package cmdb

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/store/db"
)

// ClassTree is the classes of CIs and their parents, as one statement read them. A request reads it
// once.
type ClassTree struct {
	parent   map[string]string   // by class; "" for the root
	children map[string][]string // by class, sorted
}

type classParent struct{ Name, Parent string }

// ReadClassTree reads the class tree.
func ReadClassTree(ctx context.Context, q db.Querier) (ClassTree, error) {
	rows, err := db.Collect[classParent](ctx, q, "read classes", `
		select name, coalesce(parent, '') as parent from ci_class order by name`)
	if err != nil {
		return ClassTree{}, err
	}
	tree := ClassTree{parent: make(map[string]string, len(rows)), children: map[string][]string{}}
	for _, row := range rows {
		tree.parent[row.Name] = row.Parent
		tree.children[row.Parent] = append(tree.children[row.Parent], row.Name)
	}
	return tree, nil
}

// Above returns a class and the classes above it, the class first and the root last. For a class
// that does not exist it returns an inventory.Error with CodeInvalid.
func (t ClassTree) Above(class string) ([]string, error) {
	if err := t.check(class); err != nil {
		return nil, err
	}
	above := []string{class}
	for parent := t.parent[class]; parent != ""; parent = t.parent[parent] {
		above = append(above, parent)
	}
	return above, nil
}

// Below returns a class and the classes below it, sorted; for "", which means any class, it returns
// nil. For a class that does not exist it returns an inventory.Error with CodeInvalid.
func (t ClassTree) Below(class string) ([]string, error) {
	if class == "" {
		return nil, nil
	}
	if err := t.check(class); err != nil {
		return nil, err
	}
	below := []string{class}
	for i := 0; i < len(below); i++ {
		below = append(below, t.children[below[i]]...)
	}
	slices.Sort(below)
	return below, nil
}

// Line returns Above and Below of a class, the class itself once.
func (t ClassTree) Line(class string) ([]string, error) {
	above, err := t.Above(class)
	if err != nil {
		return nil, err
	}
	below, err := t.Below(class)
	return slices.Concat(above, slices.DeleteFunc(below, func(c string) bool { return c == class })), err
}

func (t ClassTree) check(class string) error {
	if _, exists := t.parent[class]; !exists {
		return db.Invalid("there is no class %s", class)
	}
	return nil
}

// ClassAndBelow is ReadClassTree and Below, without a statement for "".
func ClassAndBelow(ctx context.Context, tx pgx.Tx, class string) ([]string, error) {
	if class == "" {
		return nil, nil
	}
	tree, err := ReadClassTree(ctx, tx)
	if err != nil {
		return nil, err
	}
	return tree.Below(class)
}

// ClassAndAbove is ReadClassTree and Above.
func ClassAndAbove(ctx context.Context, tx pgx.Tx, class string) ([]string, error) {
	tree, err := ReadClassTree(ctx, tx)
	if err != nil {
		return nil, err
	}
	return tree.Above(class)
}

// ofClasses is the condition that the class of a version d is one of some classes. For one class it
// is an equation, so that an index on class and name can order the rows.
func ofClasses(classes []string, args pgx.NamedArgs) string {
	if len(classes) == 1 {
		args["class"] = classes[0]
		return `d.class = @class`
	}
	args["classes"] = classes
	return `d.class = any(@classes)`
}
