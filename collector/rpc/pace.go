package rpc

import (
	"hash/fnv"
	"time"
)

// maxCheckInInterval is the longest interval between the check-ins of a connected agent.
const maxCheckInInterval = 15 * time.Minute

// pace spreads check-ins evenly over the interval: every agent has a phase of its own, so that agents that came
// at one moment, after an outage say, do not come at one moment again.
type pace struct{ interval time.Duration }

func newPace(interval time.Duration) pace {
	if interval <= 0 || interval > maxCheckInInterval {
		interval = maxCheckInInterval
	}
	return pace{interval: interval}
}

// next gives the time until the agent's next check-in: at its phase, an eighth to nine eighths of an interval away.
// An agent that comes a little early is not called twice.
func (p pace) next(agentID string, now time.Time) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(agentID))
	phase := time.Duration(h.Sum64() % uint64(p.interval)) //nolint:gosec // positive and below the interval
	since := (time.Duration(now.UnixNano())%p.interval - phase + p.interval) % p.interval
	wait := p.interval - since
	if wait < p.interval/8 {
		wait += p.interval
	}
	return wait
}
