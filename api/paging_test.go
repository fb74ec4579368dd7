package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
)

// TestPagesMakeTheList: whatever the list, the order and the size of pages, the pages one after the
// other are the list that is streamed.
func TestPagesMakeTheList(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	var last *machine
	for i := range 13 {
		last = e.newMachine(t)
		parts := computer(fmt.Sprintf("host-%d", i%5)) // several have one name
		parts["software"] = software(debian("bash", strconv.Itoa(i)), debian("zsh", "1"), debian("Zsh", "1"))
		last.report(t, parts)
		parts["software"] = software(debian("bash", strconv.Itoa(i+1)), debian("zsh", "1"), debian("é", "1"))
		last.report(t, parts)
	}
	at := e.now(t)
	then := asOf(at)
	last.report(t, map[string]part{"software": software()})
	device, ci := "/api/v1/devices/"+last.device, "/api/v1/cis/"+last.device
	located := e.makeCI(t, "location", "Berlin", `{}`)
	for _, name := range []string{"one", "two", "two"} {
		e.relate(t, "located_in", e.makeCI(t, "monitor", name, `{"cost": 10}`), located)
	}
	baseline := send[inventory.Baseline](t, e, "POST", "/api/v1/baselines", `{"name": "then", "at": "`+at.Format(time.RFC3339Nano)+`"}`, 201)
	zsh := items[struct {
		ID int32 `json:"id"`
	}](t, e, "/api/v1/software?search=zsh")[0].ID

	lists := []string{
		"/api/v1/devices", "/api/v1/devices?order_by=name+desc", "/api/v1/devices?order_by=first_seen",
		"/api/v1/devices?order_by=first_seen+desc", "/api/v1/devices?order_by=os_name", "/api/v1/devices?search=host-1",
		"/api/v1/devices?" + then, device + "/sections", device + "/sections/software?" + then, device + "/software?" + then,
		device + "/changes", device + "/changes?section=software", "/api/v1/software", "/api/v1/software?search=zsh",
		"/api/v1/software?include_uninstalled=true", "/api/v1/software?" + then, path("software", zsh) + "/devices",
		path("software", zsh) + "/devices?" + then, "/api/v1/enrollment-tokens",
		"/api/v1/cis", "/api/v1/cis?order_by=cost+desc", "/api/v1/cis?class=computer&" + then, "/api/v1/relationships",
		"/api/v1/cis/" + located + "/relationships", "/api/v1/classes", "/api/v1/classes/computer/attributes",
		"/api/v1/relationship-types", "/api/v1/changes?type=item", "/api/v1/changes", ci + "/changes", "/api/v1/baselines",
		"/api/v1/baselines/" + baseline.ID + "/diff",
	}
	whole := map[string][]string{}
	for _, list := range lists {
		whole[list] = e.stream(t, list)
		if len(whole[list]) == 0 {
			t.Errorf("%s is empty, which proves nothing", list)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SampledFrom(lists).Draw(r, "list")
		size := rapid.IntRange(1, 30).Draw(r, "size")
		if diff := cmp.Diff(whole[list], e.pages(t, with(list, "page_size", strconv.Itoa(size)))); diff != "" {
			r.Fatalf("%s in pages of %d (-whole +pages):\n%s", list, size, diff)
		}
	})
}

func with(address, name, value string) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + name + "=" + url.QueryEscape(value)
}

// stream returns the lines of a whole list.
func (e *fixture) stream(t testing.TB, list string) []string {
	t.Helper()
	a := e.get(t, with(list, "format", "ndjson"))
	lines := strings.Split(strings.TrimSuffix(string(a.body), "\n"), "\n")
	if a.trailer.Get(rowsTrailer) != strconv.Itoa(len(lines)) {
		t.Errorf("%s: the trailer counts %q rows of %d", list, a.trailer.Get(rowsTrailer), len(lines))
	}
	return lines
}

// pages follows the links from page to page and returns their items.
func (e *fixture) pages(t testing.TB, address string) []string {
	t.Helper()
	var all []string
	for address != "" {
		a := e.get(t, address)
		var page PageOf[Item]
		a.decode(t, &page)
		for _, item := range page.Items {
			all = append(all, string(item))
		}
		link := a.header.Get("Link")
		if (link == "") != (page.NextPageToken == "") {
			t.Fatalf("the link is %q, the token %q", link, page.NextPageToken)
		}
		if link != "" && len(page.Items) == 0 {
			t.Fatalf("%s is empty and has a next page", address)
		}
		address = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	}
	return all
}

func TestPageTokenIsOfItsList(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for _, name := range []string{"a", "b", "c"} {
		e.newMachine(t).report(t, computer(name))
	}
	var page PageOf[Item]
	e.get(t, "/api/v1/devices?page_size=1&search=a").decode(t, &page)
	token := "&page_token=" + page.NextPageToken
	for query, want := range map[string]int{
		"page_size=1&search=a" + token:                     http.StatusOK,
		"search=a&page_size=2" + token:                     http.StatusOK,
		"search=b" + token:                                 http.StatusBadRequest,
		"search=a&order_by=model" + token:                  http.StatusBadRequest,
		"search=a&" + asOf(e.now(t)) + token:               http.StatusBadRequest,
		"search=a&page_token=nonsense":                     http.StatusBadRequest,
		"search=a&page_token=" + strings.Repeat("a", 9000): http.StatusBadRequest,
	} {
		if a := e.do(t, http.MethodGet, "/api/v1/devices?"+query, "", nil); a.status != want {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

// TestForgedPositions: a token may say anything; it is refused or finds something, but nothing
// breaks.
func TestForgedPositions(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	parts := computer("alpha")
	parts["software"] = software(debian("bash", "1"))
	m.report(t, parts)
	device := "/api/v1/devices/" + m.device
	baseline := send[inventory.Baseline](t, e, "POST", "/api/v1/baselines", `{"name": "now"}`, 201)
	lists := []string{
		"/api/v1/devices", "/api/v1/devices?order_by=first_seen", device + "/sections", device + "/software",
		device + "/changes", "/api/v1/software", "/api/v1/software/1/devices", "/api/v1/enrollment-tokens",
		"/api/v1/cis", "/api/v1/cis?order_by=cost", "/api/v1/relationships", "/api/v1/changes", "/api/v1/reviews", "/api/v1/classes",
		"/api/v1/baselines", "/api/v1/baselines/" + baseline.ID + "/diff",
	}
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "1", "-1", "99999999999999999999", "2024-01-01T00:00:00Z", baseline.At.Format(sortableTime), "item", m.device, "\x00", "software", "'; --",
	}))
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SampledFrom(lists).Draw(r, "list")
		address, err := url.Parse(list)
		if err != nil {
			r.Fatal(err)
		}
		token, err := encodePageToken(*address, rapid.SliceOfN(text, 1, 5).Draw(r, "position"))
		if err != nil {
			r.Fatal(err)
		}
		a := e.do(t, http.MethodGet, with(list, "page_token", token), "", nil)
		if a.status != http.StatusOK && a.status != http.StatusBadRequest {
			r.Fatalf("%s: %d %s", list, a.status, a.body)
		}
	})
}

func FuzzDecodePageToken(f *testing.F) {
	address := url.URL{Path: "/api/v1/devices", RawQuery: "search=a"}
	token, err := encodePageToken(address, []string{"name", "id"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		after, err := decodePageToken(address, text)
		if err == nil && text != "" && len(after) == 0 {
			t.Errorf("%q is a token of nothing", text)
		}
	})
}
