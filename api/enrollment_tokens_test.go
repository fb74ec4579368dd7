package api

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"strings"
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
