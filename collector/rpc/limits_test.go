package rpc

import (
	"testing"
	"time"
)

// TestLimits: each key has a burst and a rate of its own, and what was refused is counted.
func TestLimits(t *testing.T) {
	t.Parallel()
	l := newLimits[int](time.Minute, 3)
	now := time.Now()
	l.now = func() time.Time { return now }
	for i := range 1000 {
		if ok, _ := l.allow(1); ok != (i < 3) {
			t.Fatalf("attempt %d: got %v", i, ok)
		}
	}
	if ok, _ := l.allow(2); !ok {
		t.Error("another key was refused")
	}
	now = now.Add(time.Minute)
	if ok, dropped := l.allow(1); !ok || dropped != 997 {
		t.Errorf("a minute later: got %v, %d refused; want true, 997", ok, dropped)
	}
	if ok, _ := l.allow(1); ok {
		t.Error("the second in that minute was permitted")
	}
	now = now.Add(time.Minute)
	if ok, dropped := l.allow(1); !ok || dropped != 1 {
		t.Errorf("another minute later: got %v, %d refused; want true, 1", ok, dropped)
	}
}

// TestLimitsForgetTheOldest: the memory of the limiters is bounded.
func TestLimitsForgetTheOldest(t *testing.T) {
	t.Parallel()
	l := newLimits[int](time.Hour, 1)
	for key := range 3 * limitedKeys {
		l.allow(key)
	}
	if n := l.by.Len(); n != limitedKeys {
		t.Errorf("got %d keys, want %d", n, limitedKeys)
	}
}
