package api

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// recorder is a mux that writes down what is registered.
type recorder struct {
	*http.ServeMux

	routes []string
}

func (r *recorder) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	r.routes = append(r.routes, pattern)
	r.ServeMux.HandleFunc(pattern, handler)
}

// routes lists the routes that are served.
func routes(t testing.TB) []string {
	t.Helper()
	r := &recorder{ServeMux: http.NewServeMux()}
	newServer(Options{}, r)
	slices.Sort(r.routes)
	return r.routes
}

// document is as much of an OpenAPI document as the tests look at.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]any }
}

type operation struct {
	OperationID string
	Summary     string
	Description string
	Parameters  []struct{ Name, In string }
	Responses   map[string]struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

func readDocument(t testing.TB) (document, string) {
	t.Helper()
	e := brokenServer(t.(*testing.T), 0)
	a := e.do(t, http.MethodGet, "/api/openapi.json", "", http.Header{"Authorization": {""}})
	var d document
	a.decode(t, &d)
	return d, string(a.body)
}

func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	d, text := readDocument(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi %s, want 3.1.0", d.OpenAPI)
	}
	var described []string
	ids := map[string]bool{}
	for path, item := range d.Paths {
		for method, op := range item {
			described = append(described, strings.ToUpper(method)+" "+path)
			if ids[op.OperationID] || op.OperationID == "" || op.Summary == "" {
				t.Errorf("%s %s: operation id %q, summary %q", method, path, op.OperationID, op.Summary)
			}
			ids[op.OperationID] = true
			if !strings.HasSuffix(op.Description, ".") || !strings.Contains(op.Description, " ") {
				t.Errorf("%s %s has no description in sentences: %q", method, path, op.Description)
			}
			if len(op.Responses["default"].Content) != 1 {
				t.Errorf("%s %s: problems are not described", method, path)
			}
		}
	}
	if diff := cmp.Diff(routes(t), sorted(described)); diff != "" {
		t.Errorf("routes (-served +described):\n%s", diff)
	}
	for _, ref := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if d.Components.Schemas[ref[1]] == nil {
			t.Errorf("%s is referred to and missing", ref[1])
		}
	}
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		if d.Components.Schemas[name] != nil {
			t.Errorf("%s is described and never sent", name)
		}
	}
}

// withoutHistory is what has no past: the model and the rules are as they are now, and baselines
// are instants themselves.
var withoutHistory = []string{"/api/v1/classes", "/api/v1/relationship-types", "/api/v1/baselines", "/api/v1/identity/rules"}

// TestEveryReadTakesAsOf: huma passes over embedded structs that are not exported, so that a
// parameter may be lost in silence.
func TestEveryReadTakesAsOf(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t)
	for path, item := range d.Paths {
		get, ok := item["get"]
		if !ok || !strings.HasPrefix(path, "/api/v1/") {
			continue
		}
		timeless := slices.ContainsFunc(withoutHistory, func(noun string) bool { return strings.HasPrefix(path, noun) })
		var names []string
		for _, p := range get.Parameters {
			names = append(names, p.Name)
		}
		if slices.Contains(names, "as_of") == timeless {
			t.Errorf("GET %s takes %v; as_of is a parameter of every read but those of %v", path, names, withoutHistory)
		}
		if len(get.Responses["200"].Content) > 1 && !slices.Contains(names, "page_token") {
			t.Errorf("GET %s is a list and takes no page_token", path)
		}
	}
}

// TestDocumentIsCommitted: the document in the tree is the one that the program makes (make
// generate).
func TestDocumentIsCommitted(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile("openapi.yaml")
	check(t, err)
	made, err := OpenAPI()
	check(t, err)
	if diff := cmp.Diff(string(committed), string(made)); diff != "" {
		t.Errorf("openapi.yaml (-committed +made):\n%s", diff)
	}
}

// TestDocsPage: the page works without the internet and names every operation.
func TestDocsPage(t *testing.T) {
	t.Parallel()
	e := brokenServer(t, 0)
	a := e.do(t, http.MethodGet, "/api/docs", "", http.Header{"Authorization": {""}})
	page := string(a.body)
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("policy: %s", a.header.Get("Content-Security-Policy"))
	}
	for _, outside := range []string{"http://", "https://", "<script", "//cdn"} {
		if strings.Contains(page, outside) {
			t.Errorf("the page has %s", outside)
		}
	}
	d, _ := readDocument(t)
	for _, item := range d.Paths {
		for _, op := range item {
			if !strings.Contains(page, `id="`+op.OperationID+`"`) {
				t.Errorf("%s is not on the page", op.OperationID)
			}
		}
	}
	for _, problem := range problemTypes {
		if !strings.Contains(page, `id="problem-`+problem.code+`"`) {
			t.Errorf("the problem %s is not on the page", problem.code)
		}
	}
}

// TestAnswersAreAsDescribed compares the fields of answers with those that the document lists.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["software"] = software(debian("bash", "1"))
	m.report(t, parts)
	parts["software"] = software(debian("bash", "2"))
	m.report(t, parts)
	ci, berlin := "/api/v1/cis/"+m.device, e.makeCI(t, "location", "Berlin", `{"owner": "Anna", "cost": 5, "approved_to_connect": true}`)
	e.relate(t, "located_in", m.device, berlin)
	send[inventory.CIDetails](t, e, "PUT", "/api/v1/cis/"+berlin+"/locks/owner", `{"value": "Berta", "reason": "agreed"}`, 200)
	baseline := send[inventory.Baseline](t, e, "POST", "/api/v1/baselines", `{"name": "now", "class": "computer"}`, 201)
	parts["software"] = software(debian("bash", "3"))
	m.report(t, parts)
	d, _ := readDocument(t)
	for route, address := range map[string]string{
		"/api/v1/devices":                         "/api/v1/devices",
		"/api/v1/devices/{id}":                    "/api/v1/devices/" + m.device,
		"/api/v1/devices/{id}/sections":           "/api/v1/devices/" + m.device + "/sections",
		"/api/v1/devices/{id}/changes":            "/api/v1/devices/" + m.device + "/changes",
		"/api/v1/devices/{id}/sections/{section}": "/api/v1/devices/" + m.device + "/sections/os",
		"/api/v1/software":                        "/api/v1/software",
		"/api/v1/software/{id}":                   "/api/v1/software/1",
		"/api/v1/software/{id}/devices":           "/api/v1/software/2/devices",
		"/api/v1/enrollment-tokens":               "/api/v1/enrollment-tokens",
		"/api/v1/cis":                             "/api/v1/cis",
		"/api/v1/cis/{id}":                        "/api/v1/cis/" + berlin,
		"/api/v1/cis/{id}/graph":                  ci + "/graph",
		"/api/v1/cis/{id}/relationships":          ci + "/relationships",
		"/api/v1/cis/{id}/identity":               ci + "/identity",
		"/api/v1/devices/{id}/identity":           "/api/v1/devices/" + m.device + "/identity",
		"/api/v1/changes":                         "/api/v1/changes",
		"/api/v1/classes":                         "/api/v1/classes",
		"/api/v1/classes/{name}/attributes":       "/api/v1/classes/ci/attributes",
		"/api/v1/relationship-types":              "/api/v1/relationship-types",
		"/api/v1/baselines":                       "/api/v1/baselines",
		"/api/v1/baselines/{id}":                  "/api/v1/baselines/" + baseline.ID,
		"/api/v1/baselines/{id}/diff":             "/api/v1/baselines/" + baseline.ID + "/diff?items=true",
		"/api/v1/baselines/{id}/summary":          "/api/v1/baselines/" + baseline.ID + "/summary",
		"/api/v1/reviews":                         "/api/v1/reviews",
		"/api/v1/identity/rules":                  "/api/v1/identity/rules",
	} {
		timeless := slices.ContainsFunc(withoutHistory, func(noun string) bool { return strings.HasPrefix(route, noun) })
		if !timeless {
			address = with(address, "as_of", e.now(t).Format(time.RFC3339Nano))
		}
		var body any
		e.get(t, address).decode(t, &body)
		schema := d.Paths[route]["get"].Responses["200"].Content["application/json"].Schema
		for _, wrong := range d.violations(schema, body, route) {
			t.Error(wrong)
		}
	}
}

// violations returns where a value does not match its schema: fields that the schema lacks, or that
// are missing.
func (d document) violations(schema map[string]any, value any, at string) []string {
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	}
	var wrong []string
	switch value := value.(type) {
	case []any:
		of, _ := schema["items"].(map[string]any)
		for _, item := range value {
			wrong = append(wrong, d.violations(of, item, at+"[]")...)
		}
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		if properties == nil { // an item, whose fields are its section's affair, or values by name
			of, _ := schema["additionalProperties"].(map[string]any)
			for name, field := range value {
				wrong = append(wrong, d.violations(of, field, at+"."+name)...)
			}
			break
		}
		for name, field := range value {
			of, ok := properties[name].(map[string]any)
			if !ok {
				wrong = append(wrong, at+"."+name+" is not described")
				continue
			}
			wrong = append(wrong, d.violations(of, field, at+"."+name)...)
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := value[name.(string)]; !ok {
				wrong = append(wrong, at+"."+name.(string)+" is missing")
			}
		}
	case string:
		if problem, text := schema["type"]; text && problem != "string" {
			wrong = append(wrong, fmt.Sprintf("%s is a text, described as %v", at, schema))
		}
	}
	return wrong
}
