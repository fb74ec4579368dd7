package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

func changeWords(list []inventory.FeedChange) []string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = strings.TrimSpace(c.Type + " " + c.Action + " " + c.CI.Name + " " + c.Subject + " " + c.Name)
	}
	return words
}

func TestChanges(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["software"] = software(debian("bash", "5.2.15-2"), debian("nano", "7.2-1"), debian("zsh", "5.9-4"))
	m.report(t, parts)
	first := e.now(t)
	parts["software"] = software(debian("bash", "5.2.15-2+b7"), debian("zsh", "5.8-1"), debian("vim", "9.0-1"))
	m.report(t, parts)
	second := e.now(t)
	id := e.makeCI(t, "monitor", "Lobby", `{"owner": "Anna"}`)
	send[inventory.CIDetails](t, e, "PATCH", "/api/v1/cis/"+id, `{"attributes": {"owner": "Berta"}}`, 200)
	send[struct{}](t, e, "DELETE", "/api/v1/cis/"+id, "", 204)

	at := func(name string, at time.Time) string {
		return "/api/v1/changes?" + name + "=" + url.QueryEscape(at.Format(time.RFC3339Nano))
	}
	items1 := []string{
		"item downgraded alpha software zsh", "item installed alpha software vim",
		"item removed alpha software nano", "item upgraded alpha software bash",
	}
	person := []string{"attribute changed Lobby owner", "ci created Lobby", "ci retired Lobby"}
	for address, want := range map[string][]string{
		at("since", first) + "&type=item":                items1,
		at("since", first) + "&" + asOf(second):          items1,
		at("since", second) + "&class=monitor":           person,
		at("since", second) + "&type=attribute":          person[:1],
		at("since", second) + "&class=computer":          nil,
		at("until", first) + "&type=ci&class=computer":   {"ci created alpha"},
		at("since", first) + "&source=agent":             items1,
		"/api/v1/cis/" + id + "/changes":                 person,
		"/api/v1/cis/" + id + "/changes?type=ci":         person[1:],
		"/api/v1/cis/" + m.device + "/changes?type=item": items1,
	} {
		got := []string(nil)
		for _, c := range items[inventory.FeedChange](t, e, address) {
			if c.Type == "ci" {
				c.Subject = ""
			}
			got = append(got, changeWords([]inventory.FeedChange{c})...)
		}
		if diff := cmp.Diff(want, sorted(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
	changed := items[inventory.FeedChange](t, e, "/api/v1/cis/"+id+"/changes?type=attribute")[0]
	if string(changed.Old) != `"Anna"` || string(changed.New) != `"Berta"` || changed.Actor != "test" {
		t.Errorf("who changed what: %s to %s by %q", changed.Old, changed.New, changed.Actor)
	}
	refusals{
		{"GET", "/api/v1/changes?type=weather", "", 400, "/query/type"},
		{"GET", "/api/v1/changes?class=toaster", "", 400, "toaster"},
		{"GET", "/api/v1/changes?since=yesterday", "", 400, "/query/since"},
		{"GET", "/api/v1/cis/0193ab00-0000-7000-8000-000000000000/changes", "", 404, ""},
	}.check(t, e)
}

// TestFollowChanges follows the cursors while CIs change. It receives every change once, in order.
func TestFollowChanges(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	var empty PageOf[inventory.FeedChange]
	e.get(t, "/api/v1/changes?class=monitor").decode(t, &empty)
	if empty.Cursor != "" || len(empty.Items) != 0 {
		t.Errorf("nothing has happened: %+v", empty)
	}
	var seen []inventory.FeedChange
	cursor := ""
	follow := func() {
		for {
			address := "/api/v1/changes?class=monitor&page_size=2"
			if cursor != "" {
				address = with(address, "page_token", cursor)
			}
			var page PageOf[inventory.FeedChange]
			e.get(t, address).decode(t, &page)
			seen = append(seen, page.Items...)
			if cursor != "" && page.Cursor == "" || len(page.Items) > 0 && page.Cursor == cursor || len(page.Items) == 0 && page.Cursor != cursor {
				t.Fatalf("%d items, cursor %q after %q", len(page.Items), page.Cursor, cursor)
			}
			cursor = page.Cursor
			if page.NextPageToken == "" {
				return
			}
		}
	}
	for _, name := range []string{"one", "two", "three"} {
		id := e.makeCI(t, "monitor", name, `{"owner": "Anna", "cost": 1}`)
		follow()
		send[inventory.CIDetails](t, e, "PATCH", "/api/v1/cis/"+id, `{"attributes": {"owner": "Berta", "cost": 2}}`, 200)
		follow()
		follow()
	}
	whole := items[inventory.FeedChange](t, e, "/api/v1/changes?class=monitor")
	if len(whole) < 9 || !slices.IsSortedFunc(whole, func(a, b inventory.FeedChange) int { return a.At.Compare(b.At) }) {
		t.Errorf("%d changes, or out of order: %v", len(whole), changeWords(whole))
	}
	// A stream continues from a cursor and returns one.
	all := e.get(t, "/api/v1/changes?class=monitor&format=ndjson")
	if got := all.trailer.Get(cursorTrailer); got != cursor {
		t.Errorf("the stream's cursor is %q, the last page's %q", got, cursor)
	}
	rest := e.get(t, with("/api/v1/changes?class=monitor&format=ndjson", "page_token", cursor))
	if len(rest.body) > 0 || rest.trailer.Get(rowsTrailer) != "0" || rest.trailer.Get(cursorTrailer) != cursor {
		t.Errorf("after the last change: %s, trailers %v", rest.body, rest.trailer)
	}
	want, err := json.Marshal(whole)
	check(t, err)
	got, err := json.Marshal(seen)
	check(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("followed (-whole +seen):\n%s", diff)
	}
}

// TestReasonsAreKept: the reason that a person states is returned with the change.
func TestReasonsAreKept(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	id, place := e.makeCI(t, "monitor", "alpha", `{"owner": "Anna"}`), e.makeCI(t, "location", "Berlin", `{}`)
	path := "/api/v1/cis/" + id
	send[inventory.CIDetails](t, e, "PATCH", path, `{"attributes": {"cost": 7}, "reason": "the invoice"}`, 200)
	send[inventory.CIDetails](t, e, "PUT", path+"/locks/owner", `{"value": "Berta", "reason": "agreed"}`, 200)
	send[inventory.CIDetails](t, e, "DELETE", path+"/locks/owner?reason=expired", "", 200)
	related := send[inventory.Relationship](t, e, "POST", "/api/v1/relationships",
		`{"type": "located_in", "from": "`+id+`", "to": "`+place+`", "reason": "moved in"}`, 201)
	if related.Actor != "test" || related.Reason != "moved in" || related.EndedBy != "" {
		t.Errorf("stated: %+v", related)
	}
	declared := e.now(t)
	ended := send[inventory.Relationship](t, e, "DELETE", fmt.Sprintf("/api/v1/relationships/%d?reason=moved+out", related.ID), "", 200)
	if ended.EndedBy != "test" || ended.EndReason != "moved out" || ended.Reason != "moved in" {
		t.Errorf("ended: %+v", ended)
	}
	then := items[inventory.Relationship](t, e, path+"/relationships?past=true&"+asOf(declared))
	if len(then) != 1 || then[0].EndedBy+then[0].EndReason != "" {
		t.Errorf("before it ended: %+v", then)
	}
	send[struct{}](t, e, "DELETE", path+"?reason=sold", "", 204)
	if retired := e.ci(t, id, ""); retired.RetiredBy != "test" || retired.RetireReason != "sold" {
		t.Errorf("retired by %q for %q", retired.RetiredBy, retired.RetireReason)
	}
	var reported []string
	for _, c := range items[inventory.FeedChange](t, e, path+"/changes") {
		if c.Reason != "" {
			reported = append(reported, c.Subject+" "+c.Action+" by "+c.Actor+": "+c.Reason)
		}
	}
	want := []string{
		"cost added by test: the invoice", "owner changed by test: agreed", "owner changed by test: expired",
		"located_in began by test: moved in", "located_in ended by test: moved out", "monitor retired by test: sold",
	}
	if diff := cmp.Diff(want, reported); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
