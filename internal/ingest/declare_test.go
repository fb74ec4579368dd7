package ingest_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store"
)

// TestFewConnections has more people declare and lock values at once than there are connections:
// who waits for its turn holds one, so who has the turn must need no other.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	const people = 6
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ci, err := s.CreateCI(t.Context(), inventory.NewCI{Class: "monitor", Name: "Reception"}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for n := range people {
		wait.Go(func() {
			reported := inventory.Declaration{Attributes: map[string]any{"owner": fmt.Sprint("owner ", n)}}
			if err := s.DeclareCI(t.Context(), ci, reported, auditor); err != nil {
				t.Errorf("declare: %v", err)
			}
			lock := inventory.Lock{Attribute: "location", Value: fmt.Sprint("room ", n)}
			if err := s.LockAttribute(t.Context(), ci, lock, auditor); err != nil {
				t.Errorf("lock: %v", err)
			}
		})
	}
	wait.Wait()
}
