package link

import (
	"context"
	"time"
)

// Run checks in at the pace that the collector asks for, until ctx ends. A failure makes it slower, never faster, until
// the next Ack.
func (a *Agent) Run(ctx context.Context) {
	failures := 0
	acknowledged := func(r Report) (time.Duration, bool) {
		failures = 0
		a.logAck(r)
		if r.Again {
			return paceFloor, true
		}
		return r.Next, true
	}
	for wait := a.remaining(); sleep(ctx, wait); {
		err := a.session(ctx, acknowledged)
		if ctx.Err() != nil {
			return
		}
		wait = 0
		if err != nil {
			failures++
			wait = backoff(failures)
			a.logger().Warn("check-in failed", "error", Words(err), "retry_in", wait.Round(time.Second))
			a.noteFailure(err, wait)
		}
	}
}

// remaining gives what is left of the wait after the last failure, so that an agent that is started over and over is
// not faster for it. After an Ack, a start is a reason to check in: much may have changed while the agent was not there.
func (a *Agent) remaining() time.Duration {
	status, err := a.State.Status()
	if err != nil || status.LastError == "" {
		return 0
	}
	return min(max(status.NextCheckIn.Sub(a.now()), 0), backoffCap)
}

func (a *Agent) logAck(r Report) {
	if len(r.Sections) > 0 {
		a.logger().Info("inventory acknowledged", "sections", len(r.Sections), "bytes", r.BytesSent, "duration", r.Syncing)
	}
}
