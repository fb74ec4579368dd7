package pki_test

import (
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pki"
)

// TestServing: a collector never serves a certificate with less than half of its lifetime left.
func TestServing(t *testing.T) {
	t.Parallel()
	authority := must(pki.NewAuthority(now))
	at := now
	serve := must(authority.Serving([]string{"collector.example"}, nil, func() time.Time { return at }))
	first := must(serve(nil))
	at = now.Add(pki.ServerLifetime/2 - time.Hour)
	if !must(serve(nil)).Leaf.Equal(first.Leaf) {
		t.Error("before half-life it is another certificate, want the same")
	}
	at = now.Add(pki.ServerLifetime/2 + time.Hour)
	second := must(serve(nil))
	if want := at.Add(pki.ServerLifetime); !second.Leaf.NotAfter.Equal(want.Truncate(time.Second)) {
		t.Errorf("after half-life it ends %v, want %v", second.Leaf.NotAfter, want)
	}
	if err := second.Leaf.VerifyHostname("collector.example"); err != nil {
		t.Error(err)
	}
}
