package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

const (
	backoffFloor = 5 * time.Second
	backoffFirst = time.Minute
	backoffCap   = 15 * time.Minute

	paceFloor   = time.Second // a shorter interval would keep agents busy all the time
	paceCap     = 24 * time.Hour
	paceDefault = time.Hour // if the collector sets no interval
)

// Backoff returns how long to wait after a number of failures in a row. The upper bound doubles
// with each failure up to the cap. The wait is uniform between the floor and the bound (jitter
// after the cap), so that agents that lose their collector at the same time return spread over a
// quarter of an hour. random is in [0, 1).
func Backoff(failures int, random float64) time.Duration {
	most := backoffCap
	if doublings := max(failures-1, 0); doublings < 8 { // 2⁸ minutes exceed the cap
		most = min(backoffFirst<<doublings, backoffCap)
	}
	return backoffFloor + time.Duration(random*float64(most-backoffFloor))
}

// pace returns the time until the next check-in, within bounds. 0 seconds means that the collector
// set none.
func pace(seconds uint32) time.Duration {
	if seconds == 0 {
		return paceDefault
	}
	return min(max(time.Duration(seconds)*time.Second, paceFloor), paceCap)
}

// Sleep reports whether it waited to the end; false means that ctx ended.
func Sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryDelay returns the wait that a collector asks for when it cannot do its work now, at most
// backoffCap; 0: none.
func retryDelay(err error) time.Duration {
	var answered interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &answered) {
		return 0
	}
	for _, detail := range answered.GRPCStatus().Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return min(max(info.GetRetryDelay().AsDuration(), 0), backoffCap)
		}
	}
	return 0
}

// BackoffAfter returns a random wait after a number of failures in a row, the last of which was
// err. It begins after the wait that the collector asks for, so that agents do not return at once.
func BackoffAfter(failures int, err error) time.Duration {
	return retryDelay(err) + Backoff(failures, rand.Float64()) //nolint:gosec // no secret
}
