package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/pgtest"
)

// rounds returns the number of rounds of a test: few under -short.
func rounds(all int) int {
	if testing.Short() {
		return min(all, 2)
	}
	return all
}

// TestCollectorKilledAtRandomPointsOfASync kills the collector with kill -9 during 100 syncs of a
// changing machine, and restarts it. After the agent's next sync the collector holds exactly what
// the machine has. In the end the feed contains every change once.
func TestCollectorKilledAtRandomPointsOfASync(t *testing.T) {
	t.Parallel()
	for lane, shape := range []struct {
		rounds  int
		private bool // the collector's PostgreSQL dies with it
	}{{28, false}, {28, false}, {28, false}, {16, true}} {
		seed := uint64(lane + 1)
		t.Run(fmt.Sprintf("seed %d, private %v", seed, shape.private), func(t *testing.T) {
			t.Parallel()
			url := ""
			if !shape.private {
				url = pgtest.New(t)
			}
			crash(t, url, seed, rounds(shape.rounds))
		})
	}
}

func crash(t *testing.T, url string, seed uint64, rounds int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	c, m := newCollector(t, url), newMachine(seed, "S1")
	p := newProxy(t, c.agents)
	a := enroll(t, c, p.address, m)
	a.mustSync(t)
	truth := [][]change{m.changeMany(20)}
	p.arm(nil)
	a.mustSync(t)
	whole := p.arm(nil) // size of a large delta
	interrupted := 0
	for round := range rounds {
		truth = append(truth, m.changeMany(1+19*(round%2)))
		p.arm(randomFuse(random, whole, c.kill))
		if _, err := a.Sync(t.Context()); err != nil {
			interrupted++
		}
		c.kill()
		p.arm(nil)
		c.start(t)
		p.aim(c.agents)
		if random.IntN(3) == 0 {
			a = a.again(t, m, fmt.Sprintf("boot-%d", random.IntN(3)))
		}
		persist(t, a)
		checkEqual(t, c, a, m)
	}
	t.Logf("%d of %d syncs were interrupted", interrupted, rounds)
	if interrupted < rounds/2 {
		t.Errorf("%d of %d syncs were interrupted, want at least half of them", interrupted, rounds)
	}
	checkFeed(t, c, a.device, truth)
	checkCounts(t, c, m)
	checkDevices(t, c, 1)
	c.stop(t)
}

// randomFuse kills at a random point of a sync: after a number of bytes in one direction, or up to
// 20 ms after many of them, when the collector is working.
func randomFuse(random *rand.Rand, size [2]int, kill func()) *fuse {
	switch random.IntN(3) {
	case 0:
		return &fuse{direction: up, bytes: 1 + random.IntN(size[up]), burn: kill}
	case 1:
		return &fuse{direction: down, bytes: 1 + random.IntN(size[down]), burn: kill}
	default:
		delay := time.Duration(random.IntN(20_000)) * time.Microsecond
		return &fuse{
			direction: up, bytes: size[up]/2 + random.IntN(size[up]/2), gentle: true,
			burn: func() { time.AfterFunc(delay, kill) },
		}
	}
}

// persist syncs until the collector has acknowledged. A second attempt may be necessary: a
// transaction of a killed collector may still be running in an external database.
func persist(t testing.TB, a *agent) {
	t.Helper()
	const attempts = 3
	var err error
	for range attempts {
		if _, err = a.Sync(t.Context()); err == nil {
			return
		}
		t.Logf("again: %s", link.Explain(err))
	}
	t.Fatalf("after %d attempts: %s", attempts, link.Explain(err))
}
