package reconcile_test

import (
	"testing"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

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
		{"laptop", 90 * day, hour, "absent"},
		{"laptop", 40 * day, 20 * day, "active"}, // it is not expected yet
		{"monitor", 30 * day, hour, "stale"},
		{"container", 2 * hour, hour, "active"},
		{"container", 6*hour - 1, hour, "silent"},
		{"container", 6 * hour, hour, "stale"},
		{"container", 24 * hour, hour, "absent"},
	} {
		seen := now.Add(-c.quiet)
		ci := inventory.CIDetails{CI: inventory.CI{Class: c.class}, Sources: []inventory.SourceRecord{{Source: "agent", LastSeen: &seen}}}
		if got := rules.ObservationState(ci, now, c.interval); got != c.want {
			t.Errorf("a %s that is silent for %s of %s is %q, want %q", c.class, c.quiet, c.interval, got, c.want)
		}
	}
}

// TestWhoObserves: the last who observes tells; what people and lists say makes nothing observed.
func TestWhoObserves(t *testing.T) {
	t.Parallel()
	recently, long := now.Add(-time.Minute), now.Add(-40*24*time.Hour)
	said := func(source string, at *time.Time) inventory.SourceRecord {
		return inventory.SourceRecord{Source: source, LastSeen: at}
	}
	for name, c := range map[string]struct {
		sources []inventory.SourceRecord
		retired *time.Time
		want    string
	}{
		"nobody":                      {nil, nil, ""},
		"a person":                    {[]inventory.SourceRecord{said("manual", &recently)}, nil, ""},
		"a list":                      {[]inventory.SourceRecord{said("csv:hr", &recently)}, nil, ""},
		"an agent, and a person":      {[]inventory.SourceRecord{said("agent", &long), said("manual", &recently)}, nil, "stale"},
		"two that observe":            {[]inventory.SourceRecord{said("agent", &long), said("glpi", &recently)}, nil, "active"},
		"one of whom it is not known": {[]inventory.SourceRecord{said("agent", &long), said("glpi", nil)}, nil, ""},
		"it is retired":               {[]inventory.SourceRecord{said("agent", &recently)}, &long, ""},
	} {
		ci := inventory.CIDetails{CI: inventory.CI{Class: "laptop", RetiredAt: c.retired}, Sources: c.sources}
		if got := rules.ObservationState(ci, now, time.Hour); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
