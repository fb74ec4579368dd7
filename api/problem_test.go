package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// problem reads what must be a problem.
func problem(t testing.TB, a answer) Problem {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type: %s of %s", got, a.body)
	}
	var p Problem
	a.decode(t, &p)
	if p.Status != a.status || p.Title != http.StatusText(p.Status) || p.Type == "" {
		t.Errorf("status %d with %+v", a.status, p)
	}
	if p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("request_id %q, header %q", p.RequestID, a.header.Get("X-Request-Id"))
	}
	for _, inside := range []string{"select", "SQLSTATE", ".go:", "goroutine", "pgx", "secret"} {
		if strings.Contains(string(a.body), inside) {
			t.Errorf("%s tells of the inside: %s", p.Instance, a.body)
		}
	}
	return p
}

func TestProblems(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	m := e.newMachine(t)
	m.report(t, computer("alpha"))
	tokens, device := "/api/v1/enrollment-tokens", "/api/v1/devices/"+m.device
	for _, c := range []struct {
		method, path, body string
		status             int
		pointer, words     string
	}{
		{"GET", "/", "", 404, "", "the path does not exist"},
		{"GET", "/api/v1/nothing", "", 404, "", "the path does not exist"},
		{"GET", "/api/v1/devices/", "", 404, "", "the path does not exist"},
		{"GET", "/%00", "", 400, "", "not valid UTF-8"},
		{"PUT", "/api/v1/devices", "", 405, "", "GET, HEAD"},
		{"DELETE", device, "", 405, "", "GET, HEAD"},
		{"GET", "/api/v1/devices/nonsense", "", 400, "/path/id", "uuid"},
		{"GET", "/api/v1/devices/0193ab00-0000-7000-8000-000000000000", "", 404, "", "no device"},
		{"GET", "/api/v1/software/nonsense", "", 400, "/path/id", "integer"},
		{"GET", "/api/v1/software/0", "", 400, "/path/id", ""},
		{"GET", "/api/v1/devices?colour=red", "", 400, "/query/colour", "as_of, class, format, order_by, page_size, page_token, search"},
		{"GET", "/healthz?colour=red", "", 400, "/query/colour", "has no query parameters"},
		{"GET", "/api/v1/devices?class=a&class=b", "", 400, "/query/class", "more than once"},
		{"GET", "/api/v1/devices?page_size=0", "", 400, "/query/page_size", "1"},
		{"GET", "/api/v1/devices?page_size=1001", "", 400, "/query/page_size", "1000"},
		{"GET", "/api/v1/devices?page_size=many", "", 400, "/query/page_size", "integer"},
		{"GET", "/api/v1/devices?format=xml", "", 400, "/query/format", "csv"},
		{"GET", "/api/v1/devices?as_of=yesterday", "", 400, "/query/as_of", "date"},
		{"GET", "/api/v1/devices?as_of=0001-01-01T00:00:00Z", "", 400, "/query/as_of", "before the first inventory"},
		{"GET", "/api/v1/devices?as_of=2999-01-01T00:00:00Z", "", 400, "/query/as_of", "future"},
		{"GET", device + "?as_of=2999-01-01T00:00:00Z", "", 400, "/query/as_of", "future"},
		{"GET", "/api/v1/devices?order_by=secrets", "", 400, "/query/order_by", "serial_number"},
		{"GET", "/api/v1/devices?class=toaster", "", 400, "", "no class toaster"},
		{"GET", "/api/v1/devices?search=%00", "", 400, "/query/search", "not valid UTF-8"},
		{"GET", "/api/v1/devices?search=%ff", "", 400, "/query/search", "not valid UTF-8"},
		{"GET", "/api/v1/devices?search=" + strings.Repeat("a", 201), "", 400, "/query/search", "200"},
		{"GET", "/api/v1/devices?a;b=%zz", "", 400, "/query", "malformed"},
		{"GET", "/api/v1/software?search=" + strings.Repeat("a+", 9), "", 400, "/query/search", "too many words"},
		{"POST", tokens, "", 400, "", "body"},
		{"POST", tokens, "{", 400, "/body", ""},
		{"POST", tokens, `{}`, 400, "/body", "name"},
		{"POST", tokens, `{"name": 1}`, 400, "/body/name", "string"},
		{"POST", tokens, `{"name": "a\u0000b"}`, 400, "/body/name", "NUL"},
		{"POST", tokens, `{"name": "a", "colour": "red"}`, 400, "/body/colour", ""},
		{"POST", tokens, `{"name": "a", "max_uses": 0}`, 400, "/body/max_uses", "1"},
		{"POST", tokens, `{"name": "a", "expires_in": "soon"}`, 400, "/body/expires_in", "24h"},
		{"POST", tokens, `{"name": "a", "expires_in": "-1h"}`, 400, "/body/expires_in", "in the future"},
		{"POST", tokens, `{"name": "a", "expires_at": "2001-01-01T00:00:00Z"}`, 400, "/body/expires_at", "in the future"},
		{"POST", tokens, `{"name": "a", "network": "10.0.0.1/8"}`, 400, "/body/network", "10.0.0.0/8"},
		{"POST", tokens, `{"name": "` + strings.Repeat("a", 70<<10) + `"}`, 413, "", "too large"},
		{"POST", device + "/revoke", `{"reason": ""}`, 400, "/body/reason", ""},
		{"DELETE", tokens + "/0193ab00-0000-7000-8000-000000000000", "", 404, "", "no enrollment token"},
		{"DELETE", tokens + "/nonsense", "", 400, "/path/id", "uuid"},
	} {
		a := e.do(t, c.method, c.path, c.body, http.Header{"Content-Type": {"application/json"}})
		if a.status != c.status {
			t.Errorf("%s %.80s: %d, want %d: %.300s", c.method, c.path, a.status, c.status, a.body)
			continue
		}
		p := problem(t, a)
		if c.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s %.80s: errors = %+v, want one at %s", c.method, c.path, p.Errors, c.pointer)
		}
		if !strings.Contains(string(a.body), c.words) {
			t.Errorf("%s %.80s: %s, want the words %q", c.method, c.path, a.body, c.words)
		}
	}
	if a := e.do(t, http.MethodPost, "/api/v1/devices", "", nil); a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
}

func TestInsideStaysInside(t *testing.T) {
	t.Parallel()
	e := brokenServer(t, 0)
	if p := problem(t, e.do(t, http.MethodGet, "/api/v1/devices", "", nil)); p.Status != http.StatusInternalServerError {
		t.Errorf("a broken store: %+v", p)
	}
	if p := problem(t, e.do(t, http.MethodGet, "/readyz", "", nil)); p.Status != http.StatusServiceUnavailable {
		t.Errorf("not ready: %+v", p)
	}
	// The other methods of the broken store are nil.
	if p := problem(t, e.do(t, http.MethodGet, "/api/v1/software/1", "", nil)); p.Status != http.StatusInternalServerError {
		t.Errorf("a panic: %+v", p)
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := strings.TrimSpace(string(e.get(t, path).body)); got != `{"status":"ok","version":"test"}` {
			t.Errorf("%s: %s", path, got)
		}
	}
	o := e.options()
	o.Ready = func(context.Context) error {
		return &inventory.Error{Code: inventory.CodeUnavailable, Message: "the collector is stopping"}
	}
	draining := &fixture{server: httptest.NewServer(New(o))}
	t.Cleanup(draining.server.Close)
	if p := problem(t, draining.do(t, http.MethodGet, "/readyz", "", nil)); p.Detail != "the collector is stopping" {
		t.Errorf("draining: %+v", p)
	}
	if alive := draining.do(t, http.MethodGet, "/healthz", "", nil); alive.status != http.StatusOK {
		t.Errorf("a draining program is alive: %d", alive.status)
	}
}

func FuzzQuery(f *testing.F) {
	handler := New(func() Options {
		o := (&fixture{}).options()
		o.Store = emptyStore{}
		return o
	}())
	for _, query := range []string{"as_of=2024-01-01T00:00:00Z", "page_token=e30&format=csv", "order_by=name+desc", "a=%zz", "search=%ff%00"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/devices", nil)
		r.URL = &url.URL{Path: "/api/v1/devices", RawQuery: query}
		r.Header.Set("Authorization", "Bearer any")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	})
}

type emptyStore struct{ brokenStore }

func (emptyStore) WaitUntilVisible(context.Context, time.Time) error { return nil }

func (emptyStore) ListDevices(context.Context, inventory.DeviceQuery, inventory.Visit[inventory.Device]) error {
	return nil
}
