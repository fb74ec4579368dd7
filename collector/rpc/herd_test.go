package rpc

import (
	"container/heap"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/link"
)

// herd is a fleet in virtual time: agents that check in at the pace of the collector, and wait as
// agents do while it is away.
type herd struct {
	events   arrivals
	failures []int // in a row, by agent
	random   *rand.Rand
	pace     pace
}

// arrival is a connection of an agent.
type arrival struct {
	at    time.Time
	agent int
}

// arrivals is a heap of arrivals by time.
type arrivals []arrival //nolint:recvcheck // container/heap needs both

func (a arrivals) Len() int           { return len(a) }
func (a arrivals) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a arrivals) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *arrivals) Push(x any) { *a = append(*a, x.(arrival)) }

// Pop implements heap.Interface.
func (a *arrivals) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// run simulates the fleet until end, and calls visit at each arrival with whether the collector
// was there.
func (h *herd) run(end time.Time, away func(time.Time) bool, visit func(at time.Time, answered bool)) {
	for h.events[0].at.Before(end) {
		next := heap.Pop(&h.events).(arrival)
		answered := !away(next.at)
		visit(next.at, answered)
		var wait time.Duration
		if answered {
			h.failures[next.agent] = 0
			wait = h.pace.next("agent-"+strconv.Itoa(next.agent), next.at)
		} else {
			h.failures[next.agent]++
			wait = link.Backoff(h.failures[next.agent], h.random.Float64())
		}
		heap.Push(&h.events, arrival{next.at.Add(wait), next.agent})
	}
}

// TestThunderingHerd: 10,000 agents lose their collector for half an hour. Afterwards
// they never arrive much faster than usual, and there is no echo at each interval:
// check-ins are as uniform as before.
func TestThunderingHerd(t *testing.T) {
	t.Parallel()
	const agents, outage = 10_000, 30 * time.Minute
	for seed := range uint64(5) {
		began := time.Unix(1_700_000_000, 0)
		lost := began.Add(2 * time.Hour)
		back := lost.Add(outage)
		h := &herd{random: rand.New(rand.NewPCG(seed, 18)), failures: make([]int, agents), pace: newPace(0)}
		for agent := range agents { // the machines are switched on in the morning
			h.events = append(h.events, arrival{began.Add(time.Duration(h.random.Int64N(int64(time.Hour)))), agent})
		}
		heap.Init(&h.events)
		perMinute, phases := map[time.Duration]int{}, [15]int{}
		h.run(back.Add(3*time.Hour),
			func(at time.Time) bool { return at.After(lost) && at.Before(back) },
			func(at time.Time, answered bool) {
				if answered {
					perMinute[at.Sub(back).Truncate(time.Minute)]++
				}
				if answered && at.After(back.Add(time.Hour)) {
					phases[at.UnixNano()%int64(h.pace.interval)*15/int64(h.pace.interval)]++
				}
			})
		const steady = agents / 15 // per minute
		for minute := time.Duration(0); minute < 3*time.Hour; minute += time.Minute {
			if n := perMinute[minute]; n > 2*steady {
				t.Errorf("seed %d, minute %v: %d arrivals, more than twice the usual %d", seed, minute, n, steady)
			}
		}
		var chi float64 // of 14 degrees of freedom; the phases of a fleet are fixed, so each visit repeats them
		for _, n := range phases {
			visits := float64(n) / 8 // intervals of the two hours
			chi += (visits - steady) * (visits - steady) / steady
		}
		if chi > 36.1 { // p = 0.001
			t.Errorf("seed %d: check-ins are not uniform over the interval: χ² = %.1f of %v", seed, chi, phases)
		}
	}
}
