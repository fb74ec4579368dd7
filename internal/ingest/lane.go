package ingest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lane is a queue with workers of its own. Expensive jobs have a lane beside that of the cheap
// ones, so that a change of twenty packages does not wait for machines with thousands of new items.
//
// One worker takes all jobs of a lane, because each statement costs the same for one machine as for
// many, and the queue fills while it works. The others take a group when the queue is full or the
// first worker is late.
type lane struct {
	queue  chan *job
	assist chan struct{} // wakes a worker beside the first
	late   atomic.Bool   // the first worker is; see lateAfter
	size   int           // the most jobs of a group
}

func newLane(o Options) *lane {
	return &lane{
		queue: make(chan *job, o.GroupSize), assist: make(chan struct{}, o.Workers), size: o.GroupSize,
	}
}

// Costs of jobs, in items; see job.cost.
const (
	costOfUnknown = 4      // an item that has to be validated and perhaps inserted
	expensive     = 2000   // jobs of more have the other lane
	groupCost     = 50_000 // a group of more takes no further job
)

// cost estimates the work for a job. Its unit is an item that is in the cache.
func (j *job) cost() int {
	cost := 0
	for _, w := range j.sections {
		for _, slots := range [][]slot{w.added, w.removed} {
			cost += len(slots)
			for i := range slots {
				if slots[i].unknown != nil {
					cost += costOfUnknown
				}
			}
		}
		if w.update != nil {
			cost += len(w.update.items.Readings)
		}
	}
	return cost
}

// laneOf returns the lane of a job. Rows of an import are cheap, but come by the hundred thousand.
func (g *Ingester) laneOf(j *job) *lane {
	if j.obs.Also != nil || j.cost() > expensive {
		return g.expensive
	}
	return g.cheap
}

// put adds a job to the queue. It returns ErrStopped or the error of ctx if that did not succeed.
func (l *lane) put(ctx context.Context, j *job, stopped <-chan struct{}) error {
	select {
	case l.queue <- j:
		if l.late.Load() {
			l.callAssistance()
		}
		return nil
	default:
		l.callAssistance()
	}
	select {
	case l.queue <- j:
		return nil
	case <-stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run has workers finish groups until ctx ends. A group that has begun is finished, so that its
// callers learn whether it was committed.
func (l *lane) run(ctx context.Context, workers int, finish func(context.Context, []*job)) {
	var running sync.WaitGroup
	running.Go(func() { l.work(ctx, finish) })
	for range workers - 1 {
		running.Go(func() { l.workWhenCalled(ctx, finish) })
	}
	running.Wait()
}

func (l *lane) work(ctx context.Context, finish func(context.Context, []*job)) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-l.queue:
			late := time.AfterFunc(lateAfter, func() {
				l.late.Store(true)
				l.callAssistance()
			})
			finish(context.WithoutCancel(ctx), l.gather(first))
			late.Stop()
			l.late.Store(false)
		}
	}
}

func (l *lane) workWhenCalled(ctx context.Context, finish func(context.Context, []*job)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.assist:
			select {
			case first := <-l.queue:
				finish(context.WithoutCancel(ctx), l.gather(first))
			default:
			}
		}
	}
}

// lateAfter is how long the first worker may take for a group before others take the next ones. A
// group takes that long when it waits for a lock.
const lateAfter = 250 * time.Millisecond

// callAssistance wakes a worker beside the first. A worker that is awake looks into the queue
// again.
func (l *lane) callAssistance() {
	select {
	case l.assist <- struct{}{}:
	default:
	}
}

// gather returns a group of the jobs that are in the queue. It does not wait for more jobs: under
// load the queue fills while other groups are processed.
func (l *lane) gather(first *job) []*job {
	group, cost := []*job{first}, first.cost()
	for len(group) < l.size && cost <= groupCost {
		select {
		case j := <-l.queue:
			group, cost = append(group, j), cost+j.cost()
		default:
			return group
		}
	}
	return group
}
