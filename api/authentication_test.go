package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
)

func TestTokenIsNeeded(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + e.token, e.token, "Bearer wrong", "Bearer " + e.token + "x"} {
		a := e.do(t, http.MethodGet, "/api/v1/devices", "", http.Header{"Authorization": {header}})
		if p := problem(t, a); p.Status != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, p.Status)
		}
		if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="muster"`) {
			t.Errorf("%q: WWW-Authenticate: %q", header, got)
		}
	}
	if a := e.do(t, http.MethodGet, "/api/v1/devices", "", http.Header{"Authorization": {"bearer " + e.token}}); a.status != http.StatusOK {
		t.Errorf("the scheme's case matters: %d", a.status)
	}
}

// TestPublicRoutes: what needs no token is this and nothing else.
func TestPublicRoutes(t *testing.T) {
	t.Parallel()
	public := map[string]bool{"/healthz": true, "/readyz": true, "/api/openapi.json": true, "/api/docs": true}
	e := brokenServer(t, 0)
	for _, route := range routes(t) {
		method, path, _ := strings.Cut(route, " ")
		path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "0193ab00-0000-7000-8000-000000000000")
		a := e.do(t, method, path, "", http.Header{"Authorization": {""}})
		if got := a.status != http.StatusUnauthorized; got != public[path] {
			t.Errorf("%s without a token: %d", route, a.status)
		}
	}
}

// countingStore counts the looks for tokens.
type countingStore struct {
	emptyStore

	looks *atomic.Int32
	good  *atomic.Bool
}

func (s countingStore) APIToken(context.Context, [32]byte) (inventory.APIToken, bool, error) {
	s.looks.Add(1)
	return inventory.APIToken{}, s.good.Load(), nil
}

func TestTokensAreRememberedForAWhile(t *testing.T) {
	t.Parallel()
	var (
		mu    sync.Mutex
		now   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		store = countingStore{looks: &atomic.Int32{}, good: &atomic.Bool{}}
		e     = &fixture{token: "any"}
		o     = e.options()
	)
	store.good.Store(true)
	o.Store, o.HashToken = store, pki.HashToken
	o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	e.server = httptest.NewServer(New(o))
	t.Cleanup(e.server.Close)
	ask := func() int { return e.do(t, http.MethodGet, "/api/v1/devices", "", nil).status }

	for range 5 {
		if got := ask(); got != http.StatusOK {
			t.Fatalf("a good token: %d", got)
		}
	}
	if got := store.looks.Load(); got != 1 {
		t.Errorf("looked %d times for a good token, want once", got)
	}
	store.good.Store(false)
	mu.Lock()
	now = now.Add(30 * time.Second)
	mu.Unlock()
	for range 5 {
		if got := ask(); got != http.StatusUnauthorized {
			t.Errorf("30 s after it was revoked: %d", got)
		}
	}
	if got := store.looks.Load(); got != 2 {
		t.Errorf("looked %d times in all, want twice", got)
	}
}

func TestRevokedTokenIsRefused(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	token, found, err := e.store.APIToken(t.Context(), pki.HashToken(e.token))
	if err != nil || !found || token.Name != "test" {
		t.Fatalf("token = %+v, %v, %v", token, found, err)
	}
	check(t, e.store.RevokeAPIToken(t.Context(), token.ID))
	if a := e.do(t, http.MethodGet, "/api/v1/devices", "", nil); a.status != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", a.status)
	}
}
