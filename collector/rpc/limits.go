package rpc

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// limits has a rate limiter for each key, such as a record or an address. It is safe for concurrent
// use.
type limits[K comparable] struct {
	every time.Duration
	burst int

	mu  sync.Mutex
	now func() time.Time
	by  *lru.Cache[K, *limit]
}

type limit struct {
	*rate.Limiter

	dropped int // refused since the last permission; protected by limits.mu
}

// limitedKeys is the number of keys that are remembered: those that were used last.
const limitedKeys = 4096

// newLimits returns limiters that permit burst times at once and then one in each interval.
func newLimits[K comparable](every time.Duration, burst int) *limits[K] {
	by, err := lru.New[K, *limit](limitedKeys)
	if err != nil {
		panic(err) // only a size below one is an error
	}
	return &limits[K]{every: every, burst: burst, now: time.Now, by: by}
}

// allow reports whether the key may act now, and how often it was refused since it last could.
func (l *limits[K]) allow(key K) (ok bool, dropped int) {
	limiter := l.of(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !limiter.AllowN(l.now(), 1) {
		limiter.dropped++
		return false, 0
	}
	dropped, limiter.dropped = limiter.dropped, 0
	return true, dropped
}

// wait waits until the key may act.
func (l *limits[K]) wait(ctx context.Context, key K) error { return l.of(key).Wait(ctx) }

func (l *limits[K]) of(key K) *limit {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, known := l.by.Get(key)
	if !known {
		limiter = &limit{Limiter: rate.NewLimiter(rate.Every(l.every), l.burst)}
		l.by.Add(key, limiter)
	}
	return limiter
}
