package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// send does what must succeed, and reads its answer.
func send[T any](t testing.TB, e *fixture, method, path, body string, status int) (read T) {
	t.Helper()
	a := e.do(t, method, path, body, nil)
	if a.status != status {
		t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, a.status, a.body, status)
	}
	if len(a.body) > 0 {
		a.decode(t, &read)
	}
	return read
}

// refusals are requests that must fail.
type refusals []struct {
	method, path, body string
	status             int
	words              string
}

func (list refusals) check(t testing.TB, e *fixture) {
	t.Helper()
	for _, c := range list {
		a := e.do(t, c.method, c.path, c.body, nil)
		if a.status != c.status || !strings.Contains(string(a.body), c.words) {
			t.Errorf("%s %s %.200s: %d %s; want %d with the words %q", c.method, c.path, c.body, a.status, a.body, c.status, c.words)
			continue
		}
		_ = problem(t, a)
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	class := send[inventory.Class](t, e, "POST", "/api/v1/classes", `{"name": "projector", "label": "Projector"}`, 201)
	if diff := cmp.Diff(inventory.Class{Name: "projector", Parent: "ci", Label: "Projector"}, class); diff != "" {
		t.Errorf("class made (-want +got):\n%s", diff)
	}
	classes := items[inventory.Class](t, e, "/api/v1/classes")
	if !slices.Contains(classes, class) || !slices.IsSortedFunc(classes, func(a, b inventory.Class) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("classes: %+v", classes)
	}
	lamp := send[inventory.Attribute](t, e, "POST", "/api/v1/classes/projector/attributes",
		`{"name": "lamp", "type": "choice", "choices": ["led", "xenon"], "label": "Lamp"}`, 201)
	want := inventory.Attribute{Class: "projector", Name: "lamp", Type: "choice", Choices: []string{"led", "xenon"}, Label: "Lamp"}
	if diff := cmp.Diff(want, lamp); diff != "" {
		t.Errorf("attribute made (-want +got):\n%s", diff)
	}
	attributes := map[string]string{}
	for _, a := range items[inventory.Attribute](t, e, "/api/v1/classes/projector/attributes") {
		attributes[a.Name] = a.Class
	}
	if attributes["lamp"] != "projector" || attributes["cost"] != "ci" || attributes["hostname"] != "" {
		t.Errorf("attributes by class: %v", attributes)
	}
	made := send[inventory.RelationshipType](t, e, "POST", "/api/v1/relationship-types",
		`{"name": "lights", "verb": "lights", "inverse_verb": "is lit by", "from_class": "projector", "to_class": "location"}`, 201)
	if made.Impact != "none" || !slices.Contains(items[inventory.RelationshipType](t, e, "/api/v1/relationship-types"), made) {
		t.Errorf("relationship type: %+v", made)
	}
	refusals{
		{"POST", "/api/v1/classes", `{"name": "projector", "label": "Again"}`, 409, "Projector"},
		{"POST", "/api/v1/classes", `{"name": "Projector", "label": "Again"}`, 400, "/body/name"},
		{"POST", "/api/v1/classes", `{"name": "beamer", "label": "a\u0000"}`, 400, "/body/label"},
		{"POST", "/api/v1/classes", `{"name": "beamer", "label": "x", "parent": "nothing"}`, 400, "nothing"},
		{"POST", "/api/v1/classes", `{"name": "beamer", "label": "x", "built_in": true}`, 400, "/body/built_in"},
		{"DELETE", "/api/v1/classes/computer", "", 409, "built in"},
		{"DELETE", "/api/v1/classes/nothing", "", 404, "no class"},
		{"DELETE", "/api/v1/classes/projector", "", 409, "lamp"},
		{"GET", "/api/v1/classes/nothing/attributes", "", 404, "no class"},
		{"POST", "/api/v1/classes/projector/attributes", `{"name": "lamp", "type": "text", "label": "x"}`, 409, "Lamp"},
		{"POST", "/api/v1/classes/projector/attributes", `{"name": "bulb", "type": "colour", "label": "x"}`, 400, "/body/type"},
		{"POST", "/api/v1/classes/projector/attributes", `{"name": "bulb", "type": "choice", "label": "x", "choices": ["\u0000"]}`, 400, "/body/choices"},
		{"POST", "/api/v1/classes/projector/attributes", `{"name": "bulb", "type": "choice", "label": "x", "choices": null}`, 400, "choices"},
		{"DELETE", "/api/v1/classes/projector/attributes/cost", "", 404, "cost"},
		{"DELETE", "/api/v1/relationship-types/contains", "", 409, "built in"},
		{"DELETE", "/api/v1/relationship-types/nothing", "", 404, "nothing"},
	}.check(t, e)
	for _, path := range []string{"/api/v1/classes/projector/attributes/lamp", "/api/v1/relationship-types/lights", "/api/v1/classes/projector"} {
		if a := e.do(t, http.MethodDelete, path, "", nil); a.status != http.StatusNoContent {
			t.Errorf("DELETE %s: %d %s", path, a.status, a.body)
		}
	}
	if got := items[inventory.Class](t, e, "/api/v1/classes"); slices.Contains(got, class) {
		t.Error("the deleted class is in the list")
	}
	csv := string(e.get(t, "/api/v1/classes?format=csv").body)
	if !strings.HasPrefix(csv, "name,parent,label,description,built_in\r\nbusiness_service,ci,Business service,,true\r\n") {
		t.Errorf("CSV: %s", csv)
	}
}
