package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
)

// TestIntakeStopsBeforeTheDiskIsFull covers the way down and up, and a disk that cannot be read.
func TestIntakeStopsBeforeTheDiskIsFull(t *testing.T) {
	t.Parallel()
	var free int64
	var broken error
	d := &disk{
		free:  func() (int64, error) { return free, broken },
		least: 1000, logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range []struct {
		free    int64
		broken  error
		stopped bool
	}{
		{5000, nil, false},
		{1000, nil, false},
		{999, nil, true},
		{1100, nil, true}, // not yet a quarter more
		{0, errors.New("stale NFS file handle"), true},
		{1250, nil, false},
		{0, errors.New("stale NFS file handle"), false},
		{1100, nil, false},
		{0, nil, true},
	} {
		free, broken = c.free, c.broken
		d.look()
		if got := d.err() != nil; got != c.stopped {
			t.Errorf("%d free, %v: stopped %v, want %v", c.free, c.broken, got, c.stopped)
		}
	}
	low, ok := errors.AsType[*inventory.Error](d.err())
	if !ok || low.Code != inventory.CodeUnavailable || low.RetryAfter != lowDiskRetry || !strings.Contains(low.Message, "--min-free") {
		t.Errorf("got %+v", low)
	}
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]byteSize{
		"0": 0, "512": 512, "1KB": 1 << 10, "500MB": 500 << 20, "2 gb": 2 << 30, "3TB": 3 << 40,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GB", "-1", "1.5GB", "1PB", "9999999999999GB", "much", "0x10"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
	for size, want := range map[byteSize]string{0: "0 B", 1023: "1023 B", 1 << 20: "1 MB", 1<<30 - 1: "1023 MB", 5 << 40: "5 TB"} {
		if got := size.String(); got != want {
			t.Errorf("%d: got %q, want %q", int64(size), got, want)
		}
	}
}
