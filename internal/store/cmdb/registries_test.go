package cmdb

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
)

// declaredNames are the names that the class model declares.
type declaredNames struct {
	classes, attributes, relationshipTypes []string
}

func readDeclaredNames(t *testing.T) declaredNames {
	t.Helper()
	s := OpenStore(t)
	classes, err := s.Classes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := declaredNames{attributes: []string{inventory.AttributeName, inventory.AttributeClass}} // columns of a CI
	for _, class := range classes {
		d.classes = append(d.classes, class.Name)
		attributes, err := s.Attributes(t.Context(), class.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, attribute := range attributes {
			d.attributes = append(d.attributes, attribute.Name)
		}
	}
	types, err := s.RelationshipTypes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, relationshipType := range types {
		d.relationshipTypes = append(d.relationshipTypes, relationshipType.Name)
	}
	return d
}

// TestRegistriesNameWhatTheModelDeclares: the rules are data and constants of packages that cannot
// read the class model. Every class, attribute and relationship type that they name exists in it.
func TestRegistriesNameWhatTheModelDeclares(t *testing.T) {
	t.Parallel()
	declared := readDeclaredNames(t)
	check := func(registry string, names, known []string) {
		t.Helper()
		if len(names) == 0 {
			t.Errorf("%s: no names found", registry)
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				t.Errorf("%s: the class model does not declare %q", registry, name)
			}
		}
	}
	precedence := readPrecedence(t)
	check("precedence.json: groups", precedence.grouped(), declared.attributes)
	check("precedence.json: installation", precedence.Installation, declared.attributes)
	check("precedence.json: conflicting", precedence.Conflicting, declared.attributes)
	check("precedence.json: without_lifecycle", precedence.WithoutLifecycle, declared.classes)
	vocabulary := parseGo(t, "../../inventory/vocabulary.go")
	check("vocabulary: classes", append(constants(t, vocabulary, "Class"), inventory.RootClass), declared.classes)
	check("vocabulary: attributes", constants(t, vocabulary, "Attribute"), declared.attributes)
	check("vocabulary: relationship types", constants(t, vocabulary, "Relationship"), declared.relationshipTypes)
	check("observed attributes", observedAttributes(t), declared.attributes)
}

// TestPrecedenceNamesEveryBuiltInAttribute: the group without attributes is for those that people
// add. A built-in one that no group names would rank people before machines.
func TestPrecedenceNamesEveryBuiltInAttribute(t *testing.T) {
	t.Parallel()
	grouped := readPrecedence(t).grouped()
	for _, attribute := range readDeclaredNames(t).attributes {
		if !slices.Contains(grouped, attribute) {
			t.Errorf("precedence.json: no group names %q", attribute)
		}
	}
}

// precedenceNames are the names in the rules of reconcile.
type precedenceNames struct {
	Groups []struct {
		Attributes []string `json:"attributes"`
	} `json:"groups"`
	Installation     []string `json:"installation"`
	Conflicting      []string `json:"conflicting"`
	WithoutLifecycle []string `json:"without_lifecycle"`
}

func (p precedenceNames) grouped() []string {
	var names []string
	for _, group := range p.Groups {
		names = append(names, group.Attributes...)
	}
	return names
}

func readPrecedence(t *testing.T) precedenceNames {
	t.Helper()
	data, err := os.ReadFile("../../reconcile/precedence.json")
	if err != nil {
		t.Fatal(err)
	}
	var names precedenceNames
	if err := json.Unmarshal(data, &names); err != nil {
		t.Fatal(err)
	}
	return names
}

func parseGo(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// constants returns the values of the text constants whose names begin with a prefix.
func constants(t *testing.T, file *ast.File, prefix string) []string {
	t.Helper()
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, prefix) {
			values = append(values, literal(t, spec.Values[0]))
		}
		return true
	})
	return values
}

// observedAttributes returns the attributes that the observers of reconcile set: the first
// arguments of attributes.text and attributes.number.
func observedAttributes(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../reconcile/observe_*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(parseGo(t, path), func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && setsAttribute(call) {
				names = append(names, literal(t, call.Args[0]))
			}
			return true
		})
	}
	return names
}

func setsAttribute(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && len(call.Args) == 2 && (method.Sel.Name == "text" || method.Sel.Name == "number")
}

func literal(t *testing.T, expression ast.Expr) string {
	t.Helper()
	text, ok := expression.(*ast.BasicLit)
	if !ok {
		t.Fatalf("%T where a literal is expected", expression)
	}
	value, err := strconv.Unquote(text.Value)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
