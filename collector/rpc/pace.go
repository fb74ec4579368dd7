package rpc

import (
	"hash/fnv"
	"time"
)

// maxCheckInInterval is the longest interval between the check-ins of a connected agent.
const maxCheckInInterval = 15 * time.Minute

// maxSilence is how long a connected agent may send nothing: almost two of the longest waits,
// whatever the interval, because an agent obeys the interval that it was told last.
const maxSilence = 2*maxCheckInInterval + time.Minute

// pace spreads check-ins evenly over the interval. Every agent has its own phase, so that agents
// that reconnect at the same moment, e.g. after an outage, check in at different moments
// afterwards.
type pace struct{ interval time.Duration }

func newPace(interval time.Duration) pace {
	if interval <= 0 || interval > maxCheckInInterval {
		interval = maxCheckInInterval
	}
	return pace{interval: interval}
}

// untilGone is how long an agent may be silent after a check-in before it counts as gone: until the
// next one is due at the latest, and a grace of another interval.
func (p pace) untilGone() time.Duration { return 2*p.interval + p.interval/8 }

// next returns the time until the agent's next check-in at its phase, between 1/8 and 9/8 of an
// interval, so that an agent that is slightly early does not check in twice.
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
