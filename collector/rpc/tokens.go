package rpc

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// tokens are the hashes of all enrollment tokens, usable or not. An attempt with any other token
// costs no statement of its own, however many there are, so that wrong tokens need no limit that
// would also stop the right ones from the same address. Tokens are too long to be guessed.
type tokens struct {
	read func(context.Context) ([][32]byte, error)

	reading *semaphore.Weighted // held by the one call that reads
	mu      sync.Mutex
	known   map[[32]byte]bool
	readAt  time.Time
}

// tokenInterval is the least time between two reads. An attempt with a token that is new or wrong
// waits for the next read.
const tokenInterval = time.Second

func newTokens(read func(context.Context) ([][32]byte, error)) *tokens {
	return &tokens{read: read, reading: semaphore.NewWeighted(1)}
}

// exists reports whether there is a token with that hash, as of now.
func (t *tokens) exists(ctx context.Context, hash [32]byte) (bool, error) {
	came := time.Now()
	known, _ := t.lookup(hash)
	if known {
		return true, nil
	}
	if err := t.reading.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer t.reading.Release(1)
	// A call that waited before this one may have read since.
	known, readAt := t.lookup(hash)
	if known || readAt.After(came) {
		return known, nil
	}
	if err := sleep(ctx, tokenInterval-time.Since(readAt)); err != nil {
		return false, err
	}
	hashes, err := t.read(ctx)
	if err != nil {
		return false, err
	}
	t.replace(hashes)
	known, _ = t.lookup(hash)
	return known, nil
}

func (t *tokens) lookup(hash [32]byte) (known bool, readAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[hash], t.readAt
}

func (t *tokens) replace(hashes [][32]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readAt, t.known = time.Now(), make(map[[32]byte]bool, len(hashes))
	for _, hash := range hashes {
		t.known[hash] = true
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
