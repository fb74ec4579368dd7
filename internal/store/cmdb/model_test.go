package cmdb

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// wantRefusal checks that an error has a code and contains a text; the code "" is success.
func wantRefusal(t *testing.T, what string, err error, code, says string) {
	t.Helper()
	var e *inventory.Error
	switch {
	case code == "" && err == nil:
	case code == "", !errors.As(err, &e):
		t.Errorf("%s: %v", what, err)
	case e.Code != code || !strings.Contains(e.Message, says):
		t.Errorf("%s: %s: %q, want %s with %q", what, e.Code, e.Message, code, says)
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	for _, c := range []struct {
		class      inventory.Class
		code, says string
	}{
		{inventory.Class{Name: "vehicle"}, "", ""},
		{inventory.Class{Name: "forklift", Parent: "vehicle", Label: "Forklift", Description: "Lifts."}, "", ""},
		{inventory.Class{Name: "vehicle"}, inventory.CodeConflict, `"vehicle", below "ci"`},
		{inventory.Class{Name: "laptop", Parent: "vehicle"}, inventory.CodeConflict, `"Laptop", below "computer"`},
		{inventory.Class{Name: "van", Parent: "car"}, inventory.CodeInvalid, "no class car"},
		{inventory.Class{Name: "loop", Parent: "loop"}, inventory.CodeInvalid, "no class loop"},
		{inventory.Class{Name: "Van"}, inventory.CodeInvalid, "Van"},
		{inventory.Class{Name: "v" + strings.Repeat("a", 63)}, inventory.CodeInvalid, "at most 62"},
		{inventory.Class{Name: "v" + strings.Repeat("a", 62)}, "", ""},
	} {
		wantRefusal(t, c.class.Name, s.CreateClass(t.Context(), c.class), c.code, c.says)
	}
	classes, err := s.Classes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(classes, func(c inventory.Class) bool { return c.Name == "forklift" })
	want := inventory.Class{Name: "forklift", Parent: "vehicle", Label: "Forklift", Description: "Lifts."}
	if diff := cmp.Diff(want, classes[i]); diff != "" {
		t.Errorf("forklift (-want +got):\n%s", diff)
	}
	for _, c := range []struct{ name, code, says string }{
		{"vehicle", inventory.CodeConflict, "parent of class forklift"},
		{"computer", inventory.CodeConflict, "built in"},
		{"car", inventory.CodeNotFound, "car"},
		{"forklift", "", ""},
		{"vehicle", "", ""},
	} {
		wantRefusal(t, "delete "+c.name, s.DeleteClass(t.Context(), c.name), c.code, c.says)
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	for _, class := range []inventory.Class{{Name: "vehicle"}, {Name: "forklift", Parent: "vehicle"}, {Name: "van", Parent: "vehicle"}} {
		if err := s.CreateClass(t.Context(), class); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		attribute  inventory.Attribute
		code, says string
	}{
		{inventory.Attribute{Class: "forklift", Name: "mast", Type: "integer"}, "", ""},
		{inventory.Attribute{Class: "van", Name: "mast", Type: "text"}, "", ""}, // which is no forklift
		{inventory.Attribute{Class: "vehicle", Name: "mast", Type: "integer"}, inventory.CodeConflict, `van, which is below vehicle, has an attribute mast of another type: "mast", a text`},
		{inventory.Attribute{Class: "vehicle", Name: "plate", Type: "text"}, "", ""},
		{inventory.Attribute{Class: "van", Name: "plate", Type: "text"}, inventory.CodeConflict, "declared for vehicle"},
		{inventory.Attribute{Class: "van", Name: "owner", Type: "number"}, inventory.CodeConflict, `"Owner", a text, declared for ci`},
		{inventory.Attribute{Class: "ci", Name: "uuid", Type: "integer"}, inventory.CodeConflict, "computer, which is below ci"},
		{inventory.Attribute{Class: "ci", Name: "uuid", Type: "text"}, "", ""}, // what some had, all have now
		{inventory.Attribute{Class: "car", Name: "plate", Type: "text"}, inventory.CodeInvalid, "no class car"},
		{inventory.Attribute{Class: "van", Name: "last_seen", Type: "text"}, inventory.CodeInvalid, "last_seen"},
		{inventory.Attribute{Class: "van", Name: "fuel", Type: "enum"}, inventory.CodeInvalid, `"enum"`},
		{inventory.Attribute{Class: "van", Name: "fuel", Type: "choice"}, inventory.CodeInvalid, "choices"},
		{inventory.Attribute{Class: "van", Name: "fuel", Type: "text", Choices: []string{"gas"}}, inventory.CodeInvalid, "choices"},
		{inventory.Attribute{Class: "van", Name: "fuel", Type: "choice", Choices: []string{"gas", "gas"}}, inventory.CodeInvalid, "twice"},
		{inventory.Attribute{Class: "van", Name: "fuel", Type: "choice", Choices: []string{"gas", "oil"}}, "", ""},
		{inventory.Attribute{Class: "van", Name: "a b", Type: "text"}, inventory.CodeInvalid, `"a b"`},
	} {
		wantRefusal(t, c.attribute.Class+"."+c.attribute.Name, s.CreateAttribute(t.Context(), c.attribute), c.code, c.says)
	}
	attributes, err := s.Attributes(t.Context(), "van")
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, a := range attributes {
		if !a.BuiltIn {
			own = append(own, a.Class+"."+a.Name+" "+a.Type+" "+strings.Join(a.Choices, ","))
		}
	}
	if diff := cmp.Diff([]string{"van.fuel choice gas,oil", "van.mast text ", "vehicle.plate text ", "ci.uuid text "}, own); diff != "" {
		t.Errorf("attributes of vans (-want +got):\n%s", diff)
	}
	w := &world{t: t, s: s, now: worldStart}
	van := w.newRecord("van", "van 1")
	for _, plate := range []any{"M 1", nil} {
		w.now = w.now.Add(time.Second)
		w.set(van.ci, map[string]any{"plate": plate})
	}
	for _, c := range []struct{ class, name, code, says string }{
		{"vehicle", "plate", inventory.CodeConflict, "of configuration item " + van.ci.id},
		{"ci", "owner", inventory.CodeConflict, "built in"},
		{"van", "plate", inventory.CodeNotFound, "van declares no attribute plate"},
		{"van", "fuel", "", ""},
	} {
		wantRefusal(t, "delete "+c.class+"."+c.name, s.DeleteAttribute(t.Context(), c.class, c.name), c.code, c.says)
	}
	wantRefusal(t, "delete van", s.DeleteClass(t.Context(), "van"), inventory.CodeConflict, "it declares attribute mast")
}

func TestRelationshipTypes(t *testing.T) {
	t.Parallel()
	s := OpenStore(t)
	powers := inventory.RelationshipType{Name: "powers", Verb: "powers", InverseVerb: "is powered by", Impact: "to_suffers"}
	for _, c := range []struct {
		change     func(*inventory.RelationshipType)
		code, says string
	}{
		{func(*inventory.RelationshipType) {}, "", ""},
		{func(*inventory.RelationshipType) {}, inventory.CodeConflict, "a ci powers a ci"},
		{func(r *inventory.RelationshipType) { r.Name = "runs_on" }, inventory.CodeConflict, "a ci runs on a computer"},
		{func(r *inventory.RelationshipType) { r.Name = "x"; r.FromClass = "car" }, inventory.CodeInvalid, "no class car"},
		{func(r *inventory.RelationshipType) { r.Name = "x"; r.Impact = "both" }, inventory.CodeInvalid, `"both"`},
		{func(r *inventory.RelationshipType) { r.Name = "x"; r.InverseVerb = "" }, inventory.CodeInvalid, "inverse verb"},
		{func(r *inventory.RelationshipType) { r.Name = "X" }, inventory.CodeInvalid, `"X"`},
	} {
		relationship := powers
		c.change(&relationship)
		wantRefusal(t, relationship.Name, s.CreateRelationshipType(t.Context(), relationship), c.code, c.says)
	}
	w := &world{t: t, s: s, now: worldStart}
	a, b := w.newRecord("computer", "a"), w.newRecord("computer", "b")
	held := w.relate("powers", a, b, nil)
	wantRefusal(t, "delete", s.DeleteRelationshipType(t.Context(), "powers"), inventory.CodeConflict, "in use")
	w.exec(`delete from relationship where id = $1`, held.id)
	wantRefusal(t, "delete", s.DeleteRelationshipType(t.Context(), "powers"), "", "")
	wantRefusal(t, "delete again", s.DeleteRelationshipType(t.Context(), "powers"), inventory.CodeNotFound, "powers")
	wantRefusal(t, "delete runs_on", s.DeleteRelationshipType(t.Context(), "runs_on"), inventory.CodeConflict, "built in")
	types, err := s.RelationshipTypes(t.Context())
	if err != nil || len(types) != 10 {
		t.Errorf("%d types, %v; want the 10 that are built in", len(types), err)
	}
}
