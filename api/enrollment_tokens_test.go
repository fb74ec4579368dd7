package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
)

func TestEnrollmentTokens(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	path := "/api/v1/enrollment-tokens"
	before := e.now(t)

	a := e.do(t, http.MethodPost, path, `{"name": "berlin", "network": "192.0.2.0/24", "max_uses": 2}`, nil)
	if a.status != http.StatusCreated {
		t.Fatalf("create: %d %s", a.status, a.body)
	}
	var token NewEnrollmentToken
	a.decode(t, &token)
	if token.CAPin != "sha256:pin" || token.Command != "muster-agent enroll --token "+token.Token {
		t.Errorf("token = %+v", token)
	}
	if life := token.ExpiresAt.Sub(token.CreatedAt); life < 23*time.Hour || life > 25*time.Hour {
		t.Errorf("it is good for %v, want 24 h", life)
	}

	var key [32]byte
	_, _ = rand.Read(key[:])
	_, err := e.store.Enroll(t.Context(), inventory.Enrollment{Token: pki.HashToken(token.Token), Key: key, From: netip.MustParseAddr("192.0.2.1"), Expires: time.Now().Add(time.Hour)})
	check(t, err)
	enrolled := e.now(t)

	find := func(query string) inventory.EnrollmentToken {
		for _, found := range items[inventory.EnrollmentToken](t, e, path+"?"+query) {
			if found.ID == token.ID {
				return found
			}
		}
		return inventory.EnrollmentToken{}
	}
	if got := find(""); got.Name != "berlin" || got.Uses != 1 || got.MaxUses != 2 || got.Network != "192.0.2.0/24" {
		t.Errorf("listed as %+v", got)
	}
	if strings.Contains(string(e.get(t, path).body), token.Token) {
		t.Error("the list tells the secret")
	}
	if got := find(asOf(before)); got.ID != "" {
		t.Errorf("before it was made: %+v", got)
	}

	for range 2 {
		if a := e.do(t, http.MethodDelete, path+"/"+token.ID, "", nil); a.status != http.StatusNoContent {
			t.Fatalf("revoke: %d %s", a.status, a.body)
		}
	}
	if got := find(""); got.RevokedAt == nil {
		t.Errorf("revoked: %+v", got)
	}
	if got := find(asOf(enrolled)); got.RevokedAt != nil || got.Uses != 1 {
		t.Errorf("before it was revoked: %+v", got)
	}
	_, _ = rand.Read(key[:])
	_, err = e.store.Enroll(t.Context(), inventory.Enrollment{Token: pki.HashToken(token.Token), Key: key, From: netip.MustParseAddr("192.0.2.1"), Expires: time.Now().Add(time.Hour)})
	if err == nil {
		t.Error("a revoked token enrolls")
	}
}

// TestEnrollmentsDoNotWaitForEachOther: a token is used as often as it may be, by enrollments at
// the same time, and an enrollment that has not committed yet holds up no other one.
func TestEnrollmentsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	create := func(uses int) string {
		var token NewEnrollmentToken
		e.do(t, http.MethodPost, "/api/v1/enrollment-tokens", fmt.Sprintf(`{"name": "a", "max_uses": %d}`, uses), nil).decode(t, &token)
		return token.Token
	}
	enroll := func(token string, key byte) (string, error) {
		return e.store.Enroll(t.Context(), inventory.Enrollment{
			Token: pki.HashToken(token), Key: [32]byte{key}, From: netip.MustParseAddr("192.0.2.1"),
			Expires: time.Now().Add(time.Hour),
		})
	}
	// together returns the agents of n enrollments at the same time, "" for those that are refused.
	together := func(token string, n int, key func(i int) byte) []string {
		ids := make([]string, n)
		var wait sync.WaitGroup
		for i := range n {
			wait.Go(func() { ids[i], _ = enroll(token, key(i)) })
		}
		wait.Wait()
		slices.Sort(ids)
		return slices.Compact(ids)
	}
	if got := together(create(25), 40, func(i int) byte { return byte(1 + i) }); len(got) != 26 || got[0] != "" {
		t.Errorf("%d agents enrolled with a token for 25", len(got)-1)
	}
	single := create(1)
	if got := together(single, 8, func(int) byte { return 100 }); len(got) != 1 || got[0] == "" {
		t.Errorf("one agent that enrolls 8 times at once is %q", got)
	}
	if id, err := enroll(single, 100); err != nil || id == "" {
		t.Errorf("an enrolled agent is refused: %v", err)
	}

	token := create(2)
	tx, err := e.store.Pool.Begin(t.Context())
	check(t, err)
	_, err = tx.Exec(t.Context(), `
		update enrollment_token_uses set remaining = remaining - 1
		where (token_id, part) = (select token_id, part from enrollment_token_uses join enrollment_token on id = token_id where max_uses = 2 limit 1)`)
	check(t, err)
	_, err = enroll(token, 110)
	check(t, err)
	check(t, tx.Commit(t.Context()))
	if _, err := enroll(token, 111); err == nil {
		t.Error("a token is used more often than it may be")
	}
}

func TestEnrollmentTokenLife(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	at := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Second)
	for body, want := range map[string]time.Time{
		`{"name": "a", "expires_in": "90m"}`:                             time.Now().Add(90 * time.Minute),
		`{"name": "a", "expires_at": "` + at.Format(time.RFC3339) + `"}`: at,
	} {
		var token NewEnrollmentToken
		a := e.do(t, http.MethodPost, "/api/v1/enrollment-tokens", body, nil)
		a.decode(t, &token)
		if off := token.ExpiresAt.Sub(want).Abs(); a.status != http.StatusCreated || off > time.Minute {
			t.Errorf("%s: %d, expires at %v, want %v", body, a.status, token.ExpiresAt, want)
		}
		if token.MaxUses != 1 {
			t.Errorf("max_uses = %d, want 1", token.MaxUses)
		}
	}
	both := e.do(t, http.MethodPost, "/api/v1/enrollment-tokens",
		`{"name": "a", "expires_in": "1h", "expires_at": "`+at.Format(time.RFC3339)+`"}`, nil)
	if problem(t, both).Status != http.StatusBadRequest {
		t.Errorf("both: %d", both.status)
	}
}
