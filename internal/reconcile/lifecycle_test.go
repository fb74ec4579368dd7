package reconcile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/reconcile"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	var names, left []string
	for _, s := range reconcile.Lifecycle() {
		names = append(names, s.Name)
		if s.Left {
			left = append(left, s.Name)
		}
		if s.Label == "" {
			t.Errorf("%s has no label", s.Name)
		}
	}
	want := []string{"ordered", "received", "in_stock", "in_use", "in_repair", "retired", "disposed", "lost"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"retired", "disposed", "lost"}, left); diff != "" {
		t.Errorf("states that left (-want +got):\n%s", diff)
	}
}

func TestObservationState(t *testing.T) {
	t.Parallel()
	const hour, day = time.Hour, 24 * time.Hour
	for _, c := range []struct {
		class    string
		quiet    time.Duration
		interval time.Duration
		want     string
	}{
		{"laptop", -hour, hour, "active"}, // a clock that was put back
		{"laptop", 0, hour, "active"},
		{"laptop", 3*hour - 1, hour, "active"},
		{"laptop", 3 * hour, hour, "silent"},
		{"laptop", 30*day - 1, hour, "silent"},
		{"laptop", 30 * day, hour, "stale"},
		{"laptop", 90*day - 1, hour, "stale"},
		{"laptop", 90 * day, hour, "gone"},
		{"laptop", 40 * day, 20 * day, "active"}, // it is not expected yet
		{"monitor", 30 * day, hour, "stale"},
		{"container", 2 * hour, hour, "active"},
		{"container", 6*hour - 1, hour, "silent"},
		{"container", 6 * hour, hour, "stale"},
		{"container", 24 * hour, hour, "gone"},
	} {
		if got := reconcile.ObservationState(c.class, now.Add(-c.quiet), now, c.interval); got != c.want {
			t.Errorf("a %s that is silent for %s of %s is %q, want %q", c.class, c.quiet, c.interval, got, c.want)
		}
	}
	if got := reconcile.ObservationState("laptop", time.Time{}, now, hour); got != "" {
		t.Errorf("one that was never heard of is %q", got)
	}
}
