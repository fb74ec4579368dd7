package link

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	backoffFloor = 5 * time.Second
	backoffFirst = time.Minute
	backoffCap   = 15 * time.Minute

	paceFloor   = time.Second // below it a collector would have its agents do nothing else
	paceCap     = 24 * time.Hour
	paceDefault = time.Hour // of a collector that does not say
)

// Backoff gives how long to wait after a number of failures in a row. The most it may be doubles from one failure to the
// next up to the cap; the wait is drawn evenly from all that is below (jitter after the cap), so that agents which
// lost their collector at one moment come back spread over a quarter of an hour. random is in [0, 1).
func Backoff(failures int, random float64) time.Duration {
	most := backoffCap
	if doublings := max(failures-1, 0); doublings < 8 { // 2⁸ minutes are beyond the cap
		most = min(backoffFirst<<doublings, backoffCap)
	}
	return backoffFloor + time.Duration(random*float64(most-backoffFloor))
}

// pace gives the time until the next check-in that a collector asked for.
func pace(seconds uint32) time.Duration {
	if seconds == 0 {
		return paceDefault
	}
	return min(max(time.Duration(seconds)*time.Second, paceFloor), paceCap)
}

// sleep reports whether it slept to the end.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func backoff(failures int) time.Duration {
	return Backoff(failures, rand.Float64()) //nolint:gosec // no secret
}
