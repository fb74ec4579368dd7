package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// byteSize is a size in bytes, as a flag.
type byteSize int64

// byteUnits are the units of a byteSize, with PostgreSQL's meaning: powers of 1024.
var byteUnits = []struct {
	name  string
	bytes int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *byteSize) UnmarshalText(text []byte) error {
	number, unit := strings.ToUpper(strings.TrimSpace(string(text))), int64(1)
	for _, u := range byteUnits {
		if before, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = before, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is not a size such as 500MB, 2GB or 0", text)
	}
	*s = byteSize(n * unit)
	return nil
}

// String returns the size in the largest unit that keeps one digit.
func (s byteSize) String() string {
	for _, u := range byteUnits {
		if int64(s) >= u.bytes {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + " B"
}

// diskInterval is the time between two looks at the disk.
const diskInterval = 2 * time.Second

// lowDiskRetry is how long agents wait when the disk is nearly full: a person has to act.
const lowDiskRetry = 5 * time.Minute

// disk stops the intake of inventories before the disk of the private database is full. PostgreSQL
// ends when it cannot write its WAL, and then nothing can be read either.
type disk struct {
	free   func() (int64, error)
	least  byteSize
	logger *slog.Logger

	space atomic.Int64                    // free bytes at the last look
	low   atomic.Pointer[inventory.Error] // nil: there is enough space
}

// watch looks at the disk at each interval until ctx ends.
func (d *disk) watch(ctx context.Context) {
	every(ctx, diskInterval, func(context.Context) { d.look() })
}

// look compares the free space with the least. The intake continues when there is a quarter more
// than the least, so that it does not stop and start with each WAL file.
func (d *disk) look() {
	free, err := d.free()
	if err != nil {
		d.logger.Warn("cannot watch the disk", "error", err)
		return
	}
	d.space.Store(free)
	stopped, least := d.low.Load() != nil, int64(d.least)
	switch {
	case free < least:
		d.low.Store(&inventory.Error{
			Code: inventory.CodeUnavailable,
			Message: fmt.Sprintf("the collector accepts no inventories, because its disk has %s left and "+
				"--min-free is %s; free space on the disk", byteSize(free), d.least),
			RetryAfter: lowDiskRetry,
		})
		if !stopped {
			d.logger.Error("inventories stopped: the disk is nearly full", "free", byteSize(free), "min_free", d.least)
		}
	case stopped && free >= least+least/4:
		d.low.Store(nil)
		d.logger.Info("inventories continue: the disk has space again", "free", byteSize(free))
	}
}

// err returns why the intake is stopped, or nil.
func (d *disk) err() error {
	if low := d.low.Load(); low != nil {
		return low
	}
	return nil
}
