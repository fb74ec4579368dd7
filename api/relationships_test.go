package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

func (e *fixture) relate(t testing.TB, relationshipType, from, to string) inventory.Relationship {
	t.Helper()
	return send[inventory.Relationship](t, e, "POST", "/api/v1/relationships",
		`{"type": "`+relationshipType+`", "from": "`+from+`", "to": "`+strings.ToUpper(to)+`"}`, 201)
}

func relations(list []inventory.Relationship) []string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = r.From.Name + " " + r.Verb + " " + r.To.Name
	}
	slices.Sort(words)
	return words
}

func TestRelationships(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	shop, server := e.makeCI(t, "business_service", "shop", `{}`), e.makeCI(t, "server", "db1", `{}`)
	berlin := e.makeCI(t, "location", "Berlin", `{}`)
	made := e.relate(t, "depends_on", shop, server)
	located := e.relate(t, "located_in", server, berlin)
	if made.From != (inventory.CIRef{ID: shop, Class: "business_service", Name: "shop"}) || made.Source != "manual" || made.ValidTo != nil {
		t.Errorf("made: %+v", made)
	}
	then := e.now(t)
	refusals{
		{"POST", "/api/v1/relationships", `{"type": "depends_on", "from": "` + shop + `", "to": "` + server + `"}`, 409, ""},
		{"POST", "/api/v1/relationships", `{"type": "depends_on", "from": "` + shop + `", "to": "` + shop + `"}`, 400, ""},
		{"POST", "/api/v1/relationships", `{"type": "located_in", "from": "` + shop + `", "to": "` + server + `"}`, 400, "location"},
		{"POST", "/api/v1/relationships", `{"type": "loves", "from": "` + shop + `", "to": "` + server + `"}`, 400, "loves"},
		{"POST", "/api/v1/relationships", `{"type": "depends_on", "from": "shop", "to": "` + server + `"}`, 400, "/body/from"},
		{"POST", "/api/v1/relationships", `{"type": "depends_on", "from": "` + shop + `", "to": "` + server + `", "attributes": {"a": []}}`, 400, "/body/attributes/a"},
		{"DELETE", "/api/v1/relationships/999999", "", 404, ""},
		{"DELETE", "/api/v1/relationships/0", "", 400, "/path/id"},
		{"GET", "/api/v1/cis/0193ab00-0000-7000-8000-000000000000/relationships", "", 404, ""},
		{"GET", "/api/v1/cis/0193ab00-0000-7000-8000-000000000000/graph", "", 404, ""},
		{"GET", "/api/v1/cis/" + shop + "/graph?depth=9", "", 400, "/query/depth"},
		{"GET", "/api/v1/cis/" + shop + "/graph?direction=up", "", 400, "/query/direction"},
		{"GET", "/api/v1/cis/" + shop + "/graph?max_nodes=5001", "", 400, "/query/max_nodes"},
	}.check(t, e)

	both := []string{"db1 is located in Berlin", "shop depends on db1"}
	ended := send[inventory.Relationship](t, e, "DELETE", fmt.Sprintf("/api/v1/relationships/%d?reason=moved", located.ID), "", 200)
	if ended.ID != located.ID || ended.ValidTo == nil {
		t.Errorf("ended: %+v", ended)
	}
	for address, want := range map[string][]string{
		"/api/v1/relationships":                                  both[1:],
		"/api/v1/relationships?past=true":                        both,
		"/api/v1/relationships?type=located_in":                  {},
		"/api/v1/relationships?past=true&type=located_in":        both[:1],
		"/api/v1/relationships?" + asOf(then):                    both,
		"/api/v1/cis/" + server + "/relationships":               both[1:],
		"/api/v1/cis/" + server + "/relationships?" + asOf(then): both,
		"/api/v1/cis/" + berlin + "/relationships?past=true":     both[:1],
		"/api/v1/cis/" + shop + "/relationships?type=located_in": {},
	} {
		if diff := cmp.Diff(want, relations(items[inventory.Relationship](t, e, address))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
	csv := string(e.get(t, "/api/v1/relationships?format=csv").body)
	if !strings.HasPrefix(csv, "id,type,verb,from_id,from_class,from_name,to_id,to_class,to_name,attributes,source,valid_from,valid_to,actor,reason,ended_by,end_reason\r\n") {
		t.Errorf("CSV: %s", csv)
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	shop, server := e.makeCI(t, "business_service", "shop", `{}`), e.makeCI(t, "server", "db1", `{}`)
	machine, berlin := e.makeCI(t, "virtual_machine", "vm1", `{}`), e.makeCI(t, "location", "Berlin", `{}`)
	before := e.now(t)
	e.relate(t, "depends_on", shop, machine)
	e.relate(t, "hosted_on", machine, server)
	e.relate(t, "located_in", server, berlin)
	words := func(address string) string {
		var g inventory.Graph
		e.get(t, address).decode(t, &g)
		var list []string
		for _, n := range g.Nodes {
			list = append(list, fmt.Sprintf("%d:%s", n.Depth, n.Name))
		}
		slices.Sort(list)
		if g.Truncated {
			list = append(list, "…")
		}
		return strings.Join(append(list, relations(g.Edges)...), ", ")
	}
	around := "/api/v1/cis/" + machine + "/graph"
	for address, want := range map[string]string{
		around:                    "0:vm1, 1:db1, 1:shop, 2:Berlin, db1 is located in Berlin, shop depends on vm1, vm1 is hosted on db1",
		around + "?depth=1":       "0:vm1, 1:db1, 1:shop, shop depends on vm1, vm1 is hosted on db1",
		around + "?direction=in":  "0:vm1, 1:shop, shop depends on vm1",
		around + "?direction=out": "0:vm1, 1:db1, 2:Berlin, db1 is located in Berlin, vm1 is hosted on db1",
		around + "?types=hosted_on,located_in&depth=8": "0:vm1, 1:db1, 2:Berlin, db1 is located in Berlin, vm1 is hosted on db1",
		around + "?max_nodes=1":                        "0:vm1, …",
		around + "?" + asOf(before):                    "0:vm1",
		"/api/v1/cis/" + server + "/impact":            "0:db1, 1:vm1, 2:shop, shop depends on vm1, vm1 is hosted on db1",
		"/api/v1/cis/" + server + "/impact?depth=1":    "0:db1, 1:vm1, vm1 is hosted on db1",
		"/api/v1/cis/" + shop + "/impact":              "0:shop",
	} {
		if got := words(address); got != want {
			t.Errorf("%s:\n got %s\nwant %s", address, got, want)
		}
	}
}
