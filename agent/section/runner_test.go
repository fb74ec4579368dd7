package section

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func collector(name string, collect func(ctx context.Context) error) Collector {
	return Collector{Name: name, Deadline: time.Second, Collect: func(ctx context.Context, _ *host.Host) ([]proto.Message, error) {
		if err := collect(ctx); err != nil {
			return nil, err
		}
		return []proto.Message{&inventoryv1.Service{Name: "x"}}, nil
	}}
}

func good(name string) Collector { return collector(name, func(context.Context) error { return nil }) }

// hangs ends with its context; stuck does not.
func hangs(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("wait: %w", ctx.Err()) }

func stuck(forever <-chan struct{}) func(context.Context) error {
	return func(context.Context) error { <-forever; return nil }
}

// panickingError is an error as some numbers of system libraries are: they cannot be compared.
type panickingError struct{}

func (panickingError) Error() string { return "0x13" }
func (panickingError) Is(error) bool { panic("not comparable") }

// TestOneSectionHurtsNoOther: whatever a section does, the others are collected.
func TestOneSectionHurtsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		reports := Run(t.Context(), nil, []Collector{
			good("a"), collector("hangs", hangs), good("b"), collector("stuck", stuck(forever)), good("c"),
			collector("panics", func(context.Context) error { panic("it panics") }), good("d"),
			collector("nil", func(context.Context) error { var c Collector; _, _ = c.Collect(t.Context(), nil); return nil }), good("e"),
			collector("denied", func(context.Context) error { return fs.ErrPermission }), good("f"),
			collector("error panics", func(context.Context) error { return panickingError{} }), good("g"),
		})
		got := map[string]inventory.Status{}
		for _, r := range reports {
			got[r.Section] = r.Status
		}
		want := map[string]inventory.Status{
			"hangs": inventory.StatusTimeout, "stuck": inventory.StatusTimeout, "panics": inventory.StatusError, "nil": inventory.StatusError,
			"denied": inventory.StatusDenied, "error panics": inventory.StatusError,
		}
		for name := range strings.SplitSeq("abcdefg", "") {
			want[name] = inventory.StatusOK
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		close(forever)
	})
}

// TestTimeoutsAreSkippedForADay: after two timeouts in a row the section is not started for a day,
// also by the next process, and then once more.
func TestTimeoutsAreSkippedForADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		saved, starts, fails := map[string]Health{}, 0, true
		c := collector("disk", func(ctx context.Context) error {
			starts++
			if fails {
				return hangs(ctx)
			}
			return nil
		})
		next := func() *Runner {
			r := NewRunner(saved)
			r.Save = func(health map[string]Health) { saved = maps.Clone(health) }
			return r
		}
		expect := func(r *Runner, status inventory.Status, message string, want int) {
			t.Helper()
			report := r.Run(t.Context(), nil, c)
			if report.Status != status || !strings.Contains(report.Message, message) || starts != want {
				t.Errorf("%s: %q, started %d times; want %s: %q, %d times", report.Status, report.Message, starts, status, message, want)
			}
		}
		expect(next(), inventory.StatusTimeout, "deadline exceeded", 1)
		expect(next(), inventory.StatusTimeout, "deadline exceeded", 2)
		expect(next(), inventory.StatusTimeout, "skipped until 2000-01-02T00:00:02Z because it failed 2 times in a row: ", 2)
		<-time.After(23 * time.Hour)
		expect(next(), inventory.StatusTimeout, "skipped until ", 2)
		<-time.After(2 * time.Hour)
		expect(next(), inventory.StatusTimeout, "deadline exceeded", 3) // and once more is enough now
		expect(next(), inventory.StatusTimeout, "skipped until ", 3)
		<-time.After(25 * time.Hour)
		fails = false
		expect(next(), inventory.StatusOK, "", 4)
		fails = true
		expect(next(), inventory.StatusTimeout, "deadline exceeded", 5)
		fails = false
		expect(next(), inventory.StatusOK, "", 6) // a success in between
		if len(saved) > 0 {
			t.Errorf("%v is remembered", saved)
		}
		saved = map[string]Health{"disk": {Failures: 2, SkippedUntil: time.Now().Add(1000 * time.Hour)}}
		expect(next(), inventory.StatusOK, "", 7) // the clock was set back by weeks
	})
}

// TestStoppingIsNoFailure: the end of the agent is not a failure of the section that runs then.
func TestStoppingIsNoFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := NewRunner(nil)
	r.Run(ctx, nil, collector("a", func(ctx context.Context) error { cancel(); return hangs(ctx) }))
	if len(r.Health) > 0 {
		t.Errorf("%v", r.Health)
	}
}

// TestStuckIsNotStartedAgain: goroutines do not pile up, and the runner names what must be ended.
func TestStuckIsNotStartedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		forever, starts := make(chan struct{}), 0
		r := NewRunner(nil)
		c := collector("disk", func(ctx context.Context) error { starts++; return stuck(forever)(ctx) })
		before := runtime.NumGoroutine()
		for range 5 {
			if report := r.Run(t.Context(), nil, c); report.Status != inventory.StatusTimeout {
				t.Errorf("%s: %s", report.Status, report.Message)
			}
		}
		if starts != 1 || runtime.NumGoroutine() > before+1 {
			t.Errorf("started %d times, %d goroutines more", starts, runtime.NumGoroutine()-before)
		}
		if diff := cmp.Diff([]string{"disk"}, r.Stuck()); diff != "" {
			t.Errorf("stuck (-want +got):\n%s", diff)
		}
		close(forever)
		synctest.Wait()
		if got := r.Stuck(); len(got) > 0 {
			t.Errorf("%q stuck after the end", got)
		}
		if report := r.Run(t.Context(), nil, c); report.Status != inventory.StatusOK || starts != 2 {
			t.Errorf("%s: %s, started %d times", report.Status, report.Message, starts)
		}
	})
}

// takes allocates memory until its context ends, or until it has taken the given bytes.
func takes(bytes int, heedless bool) func(context.Context) error {
	return func(ctx context.Context) error {
		var kept [][]byte
		for taken := 0; taken < bytes; taken += 1 << 20 {
			if ctx.Err() != nil && !heedless {
				return ctx.Err()
			}
			kept = append(kept, make([]byte, 1<<20))
			<-time.After(time.Millisecond)
		}
		runtime.KeepAlive(kept)
		return errors.New("it took everything")
	}
}

// TestMemory: a section that takes too much memory is stopped. One that cannot be stopped is
// reported at once, because it would end the process.
//
//nolint:paralleltest // it measures the heap of the process
func TestMemory(t *testing.T) {
	const limit = 32 << 20
	runner := func() (r *Runner, runaway *[]string) {
		r, runaway = NewRunner(nil), &[]string{}
		r.limit = limit
		r.Runaway = func(name string) { *runaway = append(*runaway, name) }
		return r, runaway
	}
	long := func(c Collector) Collector { c.Deadline = time.Minute; return c }
	r, runaway := runner()
	report := r.Run(t.Context(), nil, long(collector("greedy", takes(1<<40, false))))
	if report.Status != inventory.StatusError || !strings.Contains(report.Message, "more than 32 MiB of memory") || len(*runaway) > 0 {
		t.Errorf("%s: %s, runaway %q", report.Status, report.Message, *runaway)
	}
	if r.Health["greedy"].Failures != 1 || len(r.Stuck()) > 0 {
		t.Errorf("health %v, stuck %q", r.Health, r.Stuck())
	}
	if report := r.Run(t.Context(), nil, good("other")); report.Status != inventory.StatusOK {
		t.Errorf("the next section: %s: %s", report.Status, report.Message)
	}
	r, runaway = runner()
	r.Run(t.Context(), nil, long(collector("heedless", takes(6*limit, true))))
	if diff := cmp.Diff([]string{"heedless"}, *runaway); diff != "" {
		t.Errorf("runaway (-want +got):\n%s", diff)
	}
}
