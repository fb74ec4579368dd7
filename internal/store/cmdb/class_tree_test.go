package cmdb

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

func TestClassTree(t *testing.T) {
	t.Parallel()
	tree, err := ReadClassTree(t.Context(), OpenStore(t).Pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		of   func(string) ([]string, error)
		in   string
		want []string
	}{
		{"above the root", tree.Above, "ci", []string{"ci"}},
		{"above a leaf", tree.Above, "laptop", []string{"laptop", "computer", "ci"}},
		{"below a leaf", tree.Below, "laptop", []string{"laptop"}},
		{"below any class", tree.Below, "", nil},
	} {
		got, err := test.of(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	below, err := tree.Below("ci")
	if err != nil || len(below) != len(tree.parent) {
		t.Errorf("%d of %d classes below ci, %v", len(below), len(tree.parent), err)
	}
	for _, of := range []func(string) ([]string, error){tree.Above, tree.Below, tree.Line} {
		_, err := of("spaceship")
		wantCode(t, err, inventory.CodeInvalid)
	}
}

// TestListCIsReadsClassesOnce counts the statements of a page: begin, the class tree, the
// attributes, the page and commit.
func TestListCIsReadsClassesOnce(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	q := inventory.CIQuery{
		Class: "computer", Page: inventory.Page{Limit: 10},
		Filter: []inventory.Condition{
			{Attribute: "class", Operator: "=", Value: "laptop"},
			{Attribute: "serial_number", Operator: "=", Value: "X1"},
		},
	}
	before := s.Statements()
	err := s.ListCIs(t.Context(), q, func(inventory.CI, inventory.Position) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Statements()-before, int64(5); got != want {
		t.Errorf("%d statements, want %d", got, want)
	}
}
