package link

import (
	"context"
	"time"
)

// Run checks in at the interval that the collector sets, until ctx ends or Ended reports true.
// Failures only lengthen the interval, until the next Ack.
func (a *Agent) Run(ctx context.Context) {
	failures := 0
	acknowledged := func(r Report) (time.Duration, bool) {
		failures = 0
		a.logAck(r)
		if a.ended() {
			return 0, false
		}
		if r.Again {
			return paceFloor, true
		}
		return r.Next, true
	}
	for wait := a.remaining(); Sleep(ctx, wait); {
		err := a.session(ctx, acknowledged)
		if ctx.Err() != nil {
			return
		}
		wait = 0
		if a.ended() {
			if err != nil {
				a.recordFailure(err, BackoffAfter(failures+1, err)) // the next process waits
			}
			return
		}
		if err != nil {
			failures++
			wait = BackoffAfter(failures, err)
			a.logger().Warn("check-in failed", "error", Explain(err), "retry_in", wait.Round(time.Second))
			a.recordFailure(err, wait)
		}
	}
}

func (a *Agent) ended() bool { return a.Ended != nil && a.Ended() }

// remaining returns the rest of the wait after the last failure, so that restarting an agent does
// not make it faster. If the last check-in succeeded it returns 0: much may have changed while the
// agent was stopped.
func (a *Agent) remaining() time.Duration {
	status, err := a.State.Status()
	if err != nil || status.LastError == "" {
		return 0
	}
	return min(max(status.NextCheckIn.Sub(a.now()), 0), backoffCap)
}

func (a *Agent) logAck(r Report) {
	if len(r.Sections) > 0 {
		a.logger().Info("inventory acknowledged",
			"sections", len(r.Sections), "bytes", r.BytesSent, "duration", r.Syncing)
	}
}
