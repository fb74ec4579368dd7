package api

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// makeCI creates a CI and returns its id.
func (e *fixture) makeCI(t testing.TB, class, name, attributes string) string {
	t.Helper()
	body := `{"class": "` + class + `", "name": "` + name + `", "attributes": ` + attributes + `}`
	return send[inventory.CIDetails](t, e, "POST", "/api/v1/cis", body, 201).ID
}

func (e *fixture) ci(t testing.TB, id, query string) (ci inventory.CIDetails) {
	t.Helper()
	e.get(t, "/api/v1/cis/"+id+query).decode(t, &ci)
	return ci
}

func ciNames(cis []inventory.CI) string {
	list := make([]string, len(cis))
	for i, ci := range cis {
		list[i] = ci.Name
	}
	return strings.Join(list, " ")
}

func TestCI(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	id := e.makeCI(t, "monitor", "Reception", `{"cost": 249.90, "width_mm": 600, "owner": "Anna", "purchase_date": "2026-01-31"}`)
	path := "/api/v1/cis/" + id
	made := e.ci(t, id, "")
	want := inventory.Attributes{"cost": 249.9, "width_mm": 600.0, "owner": "Anna", "purchase_date": "2026-01-31"}
	if diff := cmp.Diff(want, made.Attributes); diff != "" || made.Class != "monitor" || made.Name != "Reception" {
		t.Errorf("%s %s (-want +got):\n%s", made.Class, made.Name, diff)
	}
	if len(made.Sources) != 1 || made.Sources[0].Source != "manual" || made.Provenance["owner"].Rule != "only" {
		t.Errorf("sources %+v, provenance %+v", made.Sources, made.Provenance)
	}
	then := e.now(t)

	patched := send[inventory.CIDetails](t, e, "PATCH", path,
		`{"name": "Lobby", "attributes": {"owner": null, "cost": "199", "asset_tag": "M-1"}, "reason": "moved"}`, 200)
	want = inventory.Attributes{"cost": 199.0, "width_mm": 600.0, "asset_tag": "M-1", "purchase_date": "2026-01-31"}
	if diff := cmp.Diff(want, patched.Attributes); diff != "" || patched.Name != "Lobby" {
		t.Errorf("%s after the patch (-want +got):\n%s", patched.Name, diff)
	}
	merge := e.do(t, http.MethodPatch, path, `{"attributes": {"owner": "Berta"}}`, http.Header{"Content-Type": {"application/merge-patch+json"}})
	if merge.status != http.StatusOK || e.ci(t, id, "").Attributes["owner"] != "Berta" {
		t.Errorf("application/merge-patch+json: %d %s", merge.status, merge.body)
	}
	declared := send[inventory.CIDetails](t, e, "PATCH", path, `{"class": "printer"}`, 200)
	taken := send[inventory.CIDetails](t, e, "PATCH", path, `{"class": "monitor", "name": null}`, 200)
	if declared.Class != "printer" || taken.Class != "monitor" || taken.Name != "" {
		t.Errorf("declared a %s, then a %s called %q", declared.Class, taken.Class, taken.Name)
	}
	if declared.ObservationState != "" {
		t.Errorf("what nobody observes is %s", declared.ObservationState)
	}
	if past := e.ci(t, id, "?"+asOf(then)); past.Name != "Reception" || past.Attributes["owner"] != "Anna" || !past.AsOf.Equal(then) {
		t.Errorf("as of then: %+v", past)
	}

	send[struct{}](t, e, "DELETE", path+"?reason=sold", "", 204)
	if got := items[inventory.CI](t, e, "/api/v1/cis?class=monitor"); len(got) != 0 {
		t.Errorf("retired and listed: %+v", got)
	}
	if got := items[inventory.CI](t, e, "/api/v1/cis?retired=true"); len(got) != 1 || got[0].RetiredAt == nil {
		t.Errorf("asked for retired ones: %+v", got)
	}
	if got := ciNames(items[inventory.CI](t, e, "/api/v1/cis?"+asOf(then))); got != "Reception" {
		t.Errorf("as of then: %s", got)
	}
	if got := e.ci(t, id, ""); got.RetiredAt == nil {
		t.Errorf("retired: %+v", got)
	}
}

func TestCIRefusals(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	id := e.makeCI(t, "monitor", "Reception", `{}`)
	path, unknown := "/api/v1/cis/"+id, "/api/v1/cis/0193ab00-0000-7000-8000-000000000000"
	long := strings.Repeat("x", 501)
	refusals{
		{"POST", "/api/v1/cis", `{"class": "toaster", "name": "x"}`, 400, "toaster"},
		{"POST", "/api/v1/cis", `{"class": "monitor"}`, 400, "name"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "` + long + `"}`, 400, "/body/name"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "a\u0000"}`, 400, "/body/name"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "colour": "red"}`, 400, "/body/colour"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"colour": "red"}}`, 400, "colour"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"hostname": "red"}}`, 400, "hostname"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"cost": "much"}}`, 400, "cost"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"cost": null}}`, 400, "/body/attributes/cost"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"cost": [1]}}`, 400, "/body/attributes/cost"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"width_mm": 1.5}}`, 400, "width_mm"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"lifecycle_state": "lent"}}`, 400, "lifecycle_state"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"purchase_date": "2026-02-30"}}`, 400, "purchase_date"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"model": "` + strings.Repeat("é", 5000) + `"}}`, 400, "model"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "x", "attributes": {"cost": 1e999}}`, 400, "1e999"},
		{"PATCH", path, `{"attributes": {"cost": {}}}`, 400, "/body/attributes/cost"},
		{"PATCH", path, `{"attributes": {"colour": "red"}}`, 400, "colour"},
		{"PATCH", path, `{"class": "toaster"}`, 400, "toaster"},
		{"PATCH", path, `{"reason": "` + long + `"}`, 400, "/body/reason"},
		{"PATCH", unknown, `{"attributes": {"owner": "Anna"}}`, 404, ""},
		{"GET", unknown, "", 404, ""},
		{"DELETE", unknown, "", 404, ""},
		{"DELETE", path + "?reason=" + long, "", 400, "/query/reason"},
		{"PUT", path + "/locks/owner", `{"value": "Anna"}`, 400, "reason"},
		{"PUT", path + "/locks/owner", `{"reason": "because"}`, 400, "value"},
		{"PUT", path + "/locks/owner", `{"value": null, "reason": "because"}`, 400, "/body/value"},
		{"PUT", path + "/locks/owner", `{"value": "Anna", "reason": "because", "until": "2001-01-01T00:00:00Z"}`, 400, "/body/until"},
		{"PUT", path + "/locks/name", `{"value": 5, "reason": "because"}`, 400, "/body/value"},
		{"PUT", path + "/locks/cost", `{"value": "much", "reason": "because"}`, 400, "cost"},
		{"PUT", path + "/locks/colour", `{"value": "red", "reason": "because"}`, 400, "colour"},
		{"DELETE", path + "/locks/owner", "", 404, "owner"},
		{"GET", "/api/v1/cis?filter=colour+%3D+red", "", 400, "colour"},
		{"GET", "/api/v1/cis?filter=owner+%7E+red", "", 400, "at character 7"},
		{"GET", "/api/v1/cis?filter=cost+%3E+much", "", 400, "cost"},
		{"GET", "/api/v1/cis?order_by=colour", "", 400, "colour"},
		{"GET", "/api/v1/cis?order_by=name+up", "", 400, "/query/order_by"},
		{"GET", "/api/v1/cis?class=toaster", "", 400, "toaster"},
		{"GET", "/api/v1/cis?class=toaster&format=csv", "", 400, "toaster"},
	}.check(t, e)
}

func TestCIList(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	e.makeCI(t, "monitor", "alpha", `{"cost": 9, "model": "P2419H", "owner": "Anna", "purchase_date": "2025-05-01", "width_mm": 530}`)
	e.makeCI(t, "monitor", "beta", `{"cost": 100.5, "model": "=1+1", "owner": "anna b", "purchase_date": "2026-01-31"}`)
	e.makeCI(t, "printer", "gamma", `{"cost": 20, "serial_number": "20XW004AUS", "approved_to_connect": true}`)
	for query, want := range map[string]string{
		"":                                "alpha beta gamma",
		"class=monitor":                   "alpha beta",
		"class=ci":                        "alpha beta gamma",
		"search=p2419":                    "alpha",
		"search=004a":                     "gamma",
		"filter=cost<100":                 "alpha gamma",
		"filter=cost>=20":                 "beta gamma",
		"filter=cost=100.50":              "beta",
		"filter=owner:anna":               "alpha beta",
		"filter=owner=Anna":               "alpha",
		`filter=owner="anna b"`:           "beta",
		"filter=owner:*":                  "alpha beta",
		"filter=purchase_date>2025-05-01": "beta",
		"filter=class=printer":            "gamma",
		"filter=name!=beta":               "alpha gamma",
		"filter=approved_to_connect=true": "gamma",
		"filter=cost>1 AND owner:* AND name:a AND purchase_date<2026-01-01": "alpha",
		"filter=first_seen<2001-01-01T00:00:00Z":                            "",
		"order_by=cost":                                                     "alpha gamma beta",
		"order_by=name desc":                                                "gamma beta alpha",
		"order_by=purchase_date&class=monitor":                              "alpha beta",
		"order_by=first_seen desc":                                          "gamma beta alpha",
	} {
		address := "/api/v1/cis"
		for part := range strings.SplitSeq(query, "&") {
			if name, value, found := strings.Cut(part, "="); found {
				address = with(address, name, value)
			}
		}
		if got := ciNames(items[inventory.CI](t, e, address)); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestCITable(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	e.makeCI(t, "monitor", "=alpha", `{"cost": 9.50, "model": "@x", "approved_to_connect": false, "width_mm": 530}`)
	e.makeCI(t, "location", "Berlin", `{}`)
	read := func(query string) [][]string {
		lines, err := csv.NewReader(strings.NewReader(string(e.get(t, "/api/v1/cis?format=csv&"+query).body))).ReadAll()
		check(t, err)
		return lines
	}
	root := "id class name first_seen last_seen approved_to_connect asset_tag cost cost_center currency custodian department " +
		"description lifecycle_state location manufacturer model owner purchase_date purchase_order serial_number supplier warranty_end"
	lines := read("")
	if got := strings.Join(lines[0], " "); got != root || len(lines) != 3 {
		t.Errorf("columns %s of %d lines, want %s of 3", got, len(lines), root)
	}
	lines = read("class=monitor&retired=true")
	cells := map[string]string{}
	for i, column := range lines[0] {
		cells[column] = lines[1][i]
	}
	for column, want := range map[string]string{
		"class": "monitor", "name": "'=alpha", "cost": "9.5", "model": "'@x", "approved_to_connect": "false", "width_mm": "530",
		"height_mm": "", "retired_at": "",
	} {
		if got, ok := cells[column]; got != want || !ok {
			t.Errorf("%s: %q, want %q", column, got, want)
		}
	}
	if _, err := time.Parse(time.RFC3339Nano, cells["first_seen"]); err != nil || len(lines) != 2 {
		t.Errorf("first_seen in %d lines: %v", len(lines), err)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	id := e.makeCI(t, "monitor", "alpha", `{"owner": "Anna"}`)
	path := "/api/v1/cis/" + id + "/locks/owner"
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	locked := send[inventory.CIDetails](t, e, "PUT", path,
		`{"value": "Berta", "reason": "agreed", "until": "`+until.Format(time.RFC3339)+`"}`, 200)
	if locked.Attributes["owner"] != "Berta" || locked.Provenance["owner"].Rule != "lock" || len(locked.Locks) != 1 {
		t.Fatalf("locked: %+v", locked)
	}
	lock := locked.Locks[0]
	if lock.Actor != "test" || lock.Reason != "agreed" || lock.Value != "Berta" || lock.Until == nil || !lock.Until.Equal(until) {
		t.Errorf("lock: %+v", lock)
	}
	released := send[inventory.CIDetails](t, e, "DELETE", path+"?reason="+url.QueryEscape("no longer"), "", 200)
	if released.Attributes["owner"] != "Anna" || len(released.Locks) != 0 {
		t.Errorf("released: %+v", released)
	}
}

// TestNamesThatThereAreNot: an unknown name is an error, not an empty answer.
func TestNamesThatThereAreNot(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	id := e.makeCI(t, "monitor", "alpha", `{}`)
	filter := url.QueryEscape("class = toaster")
	refusals{
		{"GET", "/api/v1/cis/" + id + "/graph?types=nope", "", 400, "no relationship type nope"},
		{"GET", "/api/v1/relationships?type=nope", "", 400, "no relationship type nope"},
		{"GET", "/api/v1/cis?filter=" + filter, "", 400, "toaster"},
		{"GET", "/api/v1/cis?" + asOf(e.now(t)) + "&filter=" + url.QueryEscape("last_seen > 2026-01-01"), "", 400, "last_seen has no history"},
		{"GET", "/api/v1/software/4294967297", "", 400, "/path/id"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "  "}`, 400, "blanks"},
		{"POST", "/api/v1/cis", `{"class": "monitor", "name": "a\u202eb"}`, 400, "U+202E"},
		{"PATCH", "/api/v1/cis/" + id, `{"name": "a\u0007"}`, 400, "U+0007"},
	}.check(t, e)
}

// TestIfMatchIsRequired: a change must name the state that it is for. If the CI changed since, the
// request changes nothing, also if many requests arrive at once.
func TestIfMatchIsRequired(t *testing.T) {
	t.Parallel()
	const editors = 8
	e := newFixture(t)
	path := "/api/v1/cis/" + e.makeCI(t, "monitor", "alpha", `{"cost": 0}`)
	match := func(tag string) http.Header { return http.Header{"If-Match": {tag}} }
	tag := e.get(t, path).header.Get("ETag")
	if again := e.get(t, path).header.Get("ETag"); tag == "" || again != tag {
		t.Errorf("the tag is %s, then %s", tag, again)
	}
	if past := e.get(t, path+"?"+asOf(e.now(t))).header.Get("ETag"); past != "" {
		t.Errorf("the past can be changed: %s", past)
	}
	var lost atomic.Int64
	var wait sync.WaitGroup
	for range editors {
		wait.Go(func() {
			for {
				var seen inventory.CIDetails
				read := e.get(t, path)
				read.decode(t, &seen)
				cost, _ := seen.Attributes["cost"].(float64)
				a := e.do(t, http.MethodPatch, path, fmt.Sprintf(`{"attributes": {"cost": %v}}`, cost+1), match(read.header.Get("ETag")))
				if a.status == http.StatusOK {
					return
				}
				if a.status != http.StatusPreconditionFailed {
					t.Errorf("%d %s", a.status, a.body)
					return
				}
				lost.Add(1)
			}
		})
	}
	wait.Wait()
	if got := e.ci(t, path[len("/api/v1/cis/"):], "").Attributes["cost"]; got != float64(editors) {
		t.Errorf("%d editors each added 1 and it is %v; %d were refused", editors, got, lost.Load())
	}
	for name, c := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
	}{
		"stale":        {"PATCH", path, `{"name": "beta"}`, match(tag), 412},
		"weak":         {"PATCH", path, `{"name": "beta"}`, match("W/" + tag), 412},
		"not said":     {"PATCH", path, `{"name": "beta"}`, match(""), 428},
		"stale lock":   {"PUT", path + "/locks/owner", `{"value": "Eve", "reason": "x"}`, match(tag), 412},
		"stale end":    {"DELETE", path, "", match(tag), 412},
		"end not said": {"DELETE", path, "", match(""), 428},
	} {
		if a := e.do(t, c.method, c.path, c.body, c.header); a.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, c.status)
		}
	}
	if after := e.ci(t, path[len("/api/v1/cis/"):], ""); after.Name != "alpha" || len(after.Locks) != 0 || after.RetiredAt != nil {
		t.Errorf("what was refused was done: %+v", after)
	}
}
