package section

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/internal/inventory"
)

// Bounds of a section's failures.
const (
	maxFailures = 2              // in a row, before the section is skipped
	skipFor     = 24 * time.Hour // how long it is skipped
	// MemoryLimit is by how many bytes the heap may grow during a section. The largest known
	// inventories need a tenth of it.
	MemoryLimit = 256 << 20
	// watchEvery is the interval at which a running section's memory is checked. Nearly all
	// sections end before the first check.
	watchEvery = 50 * time.Millisecond
	// endWithin is the time that a section has to end after its context has ended.
	endWithin = 5 * time.Second
)

// Health is what must be remembered of a section, also by the next process.
type Health struct {
	Failures     int // in a row
	SkippedUntil time.Time
	Reason       string // of the last failure
}

// Runner runs collectors repeatedly and keeps one that fails from harming the others. A collector
// that exceeds its time or its memory twice in a row is skipped for a day. A collector that does
// not end when it must is never started a second time beside the first.
type Runner struct {
	// Health is by section. Save is called when it has changed; nil: it is not kept.
	Health map[string]Health
	Save   func(map[string]Health)
	// Runaway is called for a section that does not end and takes more and more memory, so that
	// waiting for the others would end the process; nil: it is abandoned.
	Runaway func(section string)

	now       func() time.Time
	limit     uint64 // of memory, in bytes
	endWithin time.Duration
	runaway   bool
	abandoned map[string]<-chan outcome // by section: receives when the collector has ended
}

// NewRunner returns a runner with the health of an earlier process, which may be nil.
func NewRunner(health map[string]Health) *Runner {
	return &Runner{
		Health: maps.Clone(health), now: time.Now, limit: MemoryLimit, endWithin: endWithin,
		abandoned: map[string]<-chan outcome{},
	}
}

// Run collects one section.
func (r *Runner) Run(ctx context.Context, h *host.Host, c Collector) Report {
	now := r.now()
	report := Report{Section: c.Name, Status: inventory.StatusTimeout}
	if ended, running := r.abandoned[c.Name]; running {
		select {
		case <-ended:
			delete(r.abandoned, c.Name)
		default:
			report.Message = "the previous collection has not ended; the section is not started again beside it"
			return report
		}
	}
	// A wait of more than skipFor is that of a clock that was set back since.
	until := r.Health[c.Name].SkippedUntil
	if now.Before(until) && until.Sub(now) <= skipFor {
		report.Message = fmt.Sprintf("skipped until %s because it failed %d times in a row: %s",
			until.UTC().Format(time.RFC3339), maxFailures, r.Health[c.Name].Reason)
		return report
	}
	report, failed := r.collect(ctx, h, c)
	switch {
	case ctx.Err() != nil: // the agent stops: the section has not failed
	case failed != "":
		r.Fail(c.Name, failed)
		if r.runaway {
			r.runaway = false
			r.Runaway(c.Name)
		}
	case r.Health[c.Name] != Health{}:
		delete(r.Health, c.Name)
		r.save()
	}
	return report
}

// Fail records a failure of a section. A process that ended while it collected the section is also
// a failure of it.
func (r *Runner) Fail(name, reason string) {
	health := r.Health[name]
	if !health.SkippedUntil.IsZero() { // the day is over
		health = Health{Failures: maxFailures - 1}
	}
	health.Failures++
	health.Reason = reason
	if health.Failures >= maxFailures {
		health.SkippedUntil = r.now().Add(skipFor)
	}
	if r.Health == nil {
		r.Health = map[string]Health{}
	}
	r.Health[name] = health
	r.save()
}

func (r *Runner) save() {
	if r.Save != nil {
		r.Save(r.Health)
	}
}

// Stuck returns the sections whose collectors have not ended although they should have, sorted.
// Only the end of the process ends them.
func (r *Runner) Stuck() []string {
	maps.DeleteFunc(r.abandoned, func(_ string, ended <-chan outcome) bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	return slices.Sorted(maps.Keys(r.abandoned))
}

type outcome struct {
	items   []proto.Message
	err     error
	status  inventory.Status
	message string
}

// collect runs a collector in a goroutine of its own and abandons it if it does not end, so that a
// dead disk does not block the report. It returns the reason if the section took too much time or
// memory.
func (r *Runner) collect(parent context.Context, h *host.Host, c Collector) (report Report, failed string) {
	deadline := c.Deadline
	if deadline == 0 {
		deadline = Deadline
	}
	ctx, cancel := context.WithTimeout(parent, deadline)
	defer cancel()
	start, before := time.Now(), heap()
	done := make(chan outcome, 1)
	go func() { done <- guard(ctx, h, c) }()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()

	var o outcome
	report, ended := Report{Section: c.Name}, false
	for !ended && failed == "" {
		select {
		case o = <-done:
			ended = true
		case <-ctx.Done():
			failed = fmt.Sprintf("not finished within %v", deadline)
			report.Status = inventory.StatusTimeout
		case <-watch.C:
			if heap() > before+r.limit {
				failed = fmt.Sprintf("stopped because it took more than %d MiB of memory", r.limit>>20)
				report.Status = inventory.StatusError
			}
		}
	}
	if !ended {
		cancel()
		o, ended = r.await(c.Name, done, before)
	}
	switch {
	case ended && report.Status != inventory.StatusError: // also with what it has found within its time
		report.Status, report.Message = o.status, o.message
		if report.Status.Collected() {
			report.Items = o.items
		}
		if failed = ""; report.Status == inventory.StatusTimeout {
			failed = report.Message
		}
	default:
		report.Message = failed
	}
	report.Duration = time.Since(start)
	return report, failed
}

// await waits for a collector whose context has ended, and abandons it if it does not end, or takes
// still more memory.
func (r *Runner) await(name string, done <-chan outcome, before uint64) (o outcome, ended bool) {
	watch, timer := time.NewTicker(watchEvery), time.NewTimer(r.endWithin)
	defer watch.Stop()
	defer timer.Stop()
	for {
		select {
		case o := <-done:
			debug.FreeOSMemory()
			return o, true
		case <-timer.C:
			r.abandoned[name] = done
			return outcome{}, false
		case <-watch.C:
			if heap() > before+2*r.limit && r.Runaway != nil {
				r.abandoned[name], r.runaway = done, true
				return outcome{}, false
			}
		}
	}
}

// heap returns the bytes of the heap's objects. Reading it does not stop the program.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// guard runs a collector. The status is a part of that, because the methods of an error can panic
// too.
func guard(ctx context.Context, h *host.Host, c Collector) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{err: fmt.Errorf("panic: %v", p)}
			o.status, o.message = statusOf(o)
		}
	}()
	o.items, o.err = c.Collect(ctx, h)
	o.status, o.message = statusOf(o)
	return o
}

// maxMessage bounds the message of a section's status, in bytes.
const maxMessage = 500

func statusOf(o outcome) (inventory.Status, string) {
	if o.err == nil {
		return inventory.StatusOK, ""
	}
	is, reasons := status(o), lines(o.err.Error())
	if is == inventory.StatusDenied {
		return is, denied(reasons)
	}
	return is, oneLine(reasons)
}
