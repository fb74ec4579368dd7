package rpc

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTokens: right tokens are known without a read, and any number of wrong ones cause one read in
// a second. A token that was made after the last read is found.
func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads, stored := 0, [][32]byte{{1}}
		tokens := newTokens(func(context.Context) ([][32]byte, error) {
			reads++
			return stored, nil
		})
		expect := func(hash byte, want bool) {
			t.Helper()
			if got, err := tokens.exists(t.Context(), [32]byte{hash}); err != nil || got != want {
				t.Errorf("token %d: got %v, %v; want %v", hash, got, err, want)
			}
		}
		began := time.Now()
		expect(1, true)
		if reads != 1 || time.Since(began) != 0 {
			t.Errorf("the first token: %d reads in %v, want 1 at once", reads, time.Since(began))
		}
		var wrong sync.WaitGroup
		for i := range 100 {
			wrong.Go(func() { expect(byte(100+i), false) })
		}
		synctest.Wait()
		expect(1, true)
		if time.Since(began) != 0 {
			t.Errorf("a right token waited for %v", time.Since(began))
		}
		wrong.Wait()
		if reads != 2 || time.Since(began) != tokenInterval {
			t.Errorf("100 wrong tokens: %d reads in %v, want 2 in %v", reads, time.Since(began), tokenInterval)
		}
		stored = append(stored, [32]byte{2})
		expect(2, true)
	})
}

// TestTokensWhenTheStoreFails: an error is not remembered as an answer.
func TestTokensWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	failing := errors.New("no store")
	tokens := newTokens(func(context.Context) ([][32]byte, error) { return [][32]byte{{1}}, failing })
	if _, err := tokens.exists(t.Context(), [32]byte{1}); !errors.Is(err, failing) {
		t.Errorf("got %v, want the store's error", err)
	}
	failing = nil
	if ok, err := tokens.exists(t.Context(), [32]byte{1}); err != nil || !ok {
		t.Errorf("got %v, %v; want true", ok, err)
	}
}
