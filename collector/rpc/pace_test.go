package rpc

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPaceLeadsToThePhase(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPace(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "interval")))
		if p.interval <= 0 || p.interval > maxCheckInInterval {
			t.Fatalf("interval %v", p.interval)
		}
		agent := rapid.String().Draw(t, "agent")
		now := time.Unix(0, rapid.Int64Range(0, 1<<61).Draw(t, "now"))
		wait := p.next(agent, now)
		if wait < p.interval/8 || wait > p.interval+p.interval/8 {
			t.Fatalf("wait %v at an interval of %v", wait, p.interval)
		}
		// After its first check-in an agent checks in at its phase.
		if again := p.next(agent, now.Add(wait)); again != p.interval {
			t.Fatalf("from its phase, an agent waits %v, want the interval %v", again, p.interval)
		}
	})
}

// TestPaceSpreads reconnects ten thousand agents at one moment, as after an outage: no tenth of
// the interval may get much more than its share.
func TestPaceSpreads(t *testing.T) {
	t.Parallel()
	const agents, parts = 10_000, 10
	p, now := newPace(0), time.Unix(1700000000, 0)
	var count [parts]int
	for i := range agents {
		at := now.Add(p.next(fmt.Sprintf("agent-%d", i), now))
		count[at.UnixNano()%int64(p.interval)*parts/int64(p.interval)]++
	}
	for part, n := range count {
		if n < agents/parts*8/10 || n > agents/parts*12/10 {
			t.Errorf("part %d of the interval gets %d agents, want about %d", part, n, agents/parts)
		}
	}
}
