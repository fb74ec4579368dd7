package api

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

// diffWords are differences in words; of a CI that was changed with what was.
func diffWords(list []inventory.CIDiff) []string {
	var words []string
	for _, d := range list {
		var parts []string
		for _, a := range d.Attributes {
			parts = append(parts, a.Attribute)
		}
		for _, i := range d.Items {
			parts = append(parts, i.Section)
		}
		line := d.Change + " " + d.CI.Name
		if d.Change == "changed" {
			line += " " + strings.Join(sorted(parts), " ")
		}
		words = append(words, line)
	}
	slices.Sort(words)
	return words
}

func TestBaselines(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	before := e.now(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["software"] = software(debian("bash", "1"), debian("nano", "1"))
	m.report(t, parts)
	lobby, stays := e.makeCI(t, "monitor", "Lobby", `{"owner": "Anna"}`), e.makeCI(t, "monitor", "Stays", `{}`)
	path := "/api/v1/baselines"
	all := send[inventory.Baseline](t, e, "POST", path, `{"name": "all"}`, 201)
	monitors := send[inventory.Baseline](t, e, "POST", path, `{"name": "monitors", "class": "monitor"}`, 201)
	start := send[inventory.Baseline](t, e, "POST", path, `{"name": "start", "at": "`+before.Format(time.RFC3339Nano)+`"}`, 201)
	if all.CreatedBy != "test" || all.At.IsZero() || monitors.Class != "monitor" || !start.At.Equal(before) {
		t.Errorf("made: %+v, %+v, %+v", all, monitors, start)
	}
	var got []string
	for _, b := range items[inventory.Baseline](t, e, path) {
		got = append(got, b.Name)
	}
	if diff := cmp.Diff([]string{"start", "all", "monitors"}, got); diff != "" {
		t.Errorf("baselines (-want +got):\n%s", diff)
	}

	parts["software"] = software(debian("bash", "2"), debian("vim", "1"))
	m.report(t, parts)
	send[inventory.CIDetails](t, e, "PATCH", "/api/v1/cis/"+lobby, `{"name": "Entrance", "attributes": {"owner": "Berta"}}`, 200)
	e.makeCI(t, "monitor", "New", `{}`)
	middle := e.now(t)
	send[struct{}](t, e, "DELETE", "/api/v1/cis/"+stays, "", 204)

	instant := middle.Format(time.RFC3339Nano)
	diff := func(baseline inventory.Baseline, query string) []string {
		return diffWords(items[inventory.CIDiff](t, e, path+"/"+baseline.ID+"/diff"+query))
	}
	for _, c := range []struct {
		baseline inventory.Baseline
		query    string
		want     []string
	}{
		{monitors, "", []string{"added New", "changed Entrance name owner", "removed Stays"}},
		{monitors, "?against=now", []string{"added New", "changed Entrance name owner", "removed Stays"}},
		{monitors, with("", "against", instant), []string{"added New", "changed Entrance name owner"}},
		{all, with("?items=true", "against", instant), []string{"added New", "changed Entrance name owner", "changed alpha software software software"}},
		{all, "?against=" + start.ID, []string{"added Debian GNU/Linux 12", "added Lobby", "added Stays", "added alpha"}},
		{start, "?against=" + all.ID, []string{"added Debian GNU/Linux 12", "added Lobby", "added Stays", "added alpha"}},
		{all, "?against=" + all.ID, nil},
	} {
		if diff := cmp.Diff(c.want, diff(c.baseline, c.query)); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", c.baseline.Name, c.query, diff)
		}
	}

	sum := send[inventory.DiffSummary](t, e, "GET", with(path+"/"+all.ID+"/summary", "against", instant), "", 200)
	want := inventory.DiffSummary{From: all.At, To: middle, Added: 1, Changed: 2, ItemsAdded: 1, ItemsRemoved: 1, ItemsChanged: 1}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	refusals{
		{"POST", path, `{"name": "all"}`, 409, "all"},
		{"POST", path, `{"name": "a\u0000"}`, 400, "/body/name"},
		{"POST", path, `{"name": "x", "at": "2999-01-01T00:00:00Z"}`, 400, "/body/at"},
		{"POST", path, `{"name": "x", "at": "0001-01-01T00:00:00Z"}`, 400, "/body/at"},
		{"POST", path, `{"name": "x", "class": "toaster"}`, 400, "toaster"},
		{"GET", path + "/" + all.ID + "/diff?against=yesterday", "", 400, "/query/against"},
		{"GET", path + "/" + all.ID + "/diff?against=2999-01-01T00:00:00Z", "", 400, "/query/against"},
		{"GET", path + "/" + all.ID + "/diff?against=0193ab00-0000-7000-8000-000000000000", "", 404, ""},
		{"GET", path + "/0193ab00-0000-7000-8000-000000000000/summary", "", 404, ""},
		{"DELETE", path + "/0193ab00-0000-7000-8000-000000000000", "", 404, ""},
	}.check(t, e)
	send[struct{}](t, e, "DELETE", path+"/"+start.ID, "", 204)
	if got := e.do(t, "GET", path+"/"+start.ID, "", nil).status; got != 404 {
		t.Errorf("the deleted baseline: %d", got)
	}
}

// TestDiffPagesAreOfOneNow: what happens between two pages of a comparison with now is on neither.
func TestDiffPagesAreOfOneNow(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	baseline := send[inventory.Baseline](t, e, "POST", "/api/v1/baselines", `{"name": "empty"}`, 201)
	for _, name := range []string{"a", "b", "c"} {
		e.makeCI(t, "monitor", name, `{}`)
	}
	address := "/api/v1/baselines/" + baseline.ID + "/diff"
	var page PageOf[inventory.CIDiff]
	e.get(t, address+"?page_size=1").decode(t, &page)
	for _, name := range []string{"d", "e", "f"} {
		e.makeCI(t, "monitor", name, `{}`)
	}
	e.get(t, with(address+"?page_size=1", "page_token", page.NextPageToken)).decode(t, &page)
	rest := diffWords(items[inventory.CIDiff](t, e, with(address, "page_token", page.NextPageToken)))
	if diff := cmp.Diff([]string{"added c"}, rest); diff != "" {
		t.Errorf("the last page (-want +got):\n%s", diff)
	}
	if now := diffWords(items[inventory.CIDiff](t, e, address)); len(now) != 6 {
		t.Errorf("asked anew: %v", now)
	}
}
