package reconcile

import (
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// stateInUse is the life-cycle state of what is observed.
const stateInUse = "in_use"

// IsDisposed reports whether what is true of a CI is that it is no longer among those that are looked after.
func IsDisposed(attributes inventory.Attributes) bool {
	state, _ := attributes[inventory.AttributeLifecycleState].(string)
	return isDisposed(state)
}

// isDisposed reports whether an asset in a life-cycle state is no longer among those that are looked after.
func isDisposed(state string) bool {
	return slices.Contains([]string{"retired", "disposed", "lost"}, state)
}

// The states of a CI's observation. They follow from when it was last observed, and are not stored.
const (
	ObservationActive = "active" // it was heard of within three intervals
	ObservationSilent = "silent"
	ObservationStale  = "stale"
	ObservationAbsent = "absent"
)

// missedCheckIns are the intervals that an active CI may be silent: one check-in may fail and one be late.
const missedCheckIns = 3

// silence says how long a CI is not observed before it is stale, and gone.
type silence struct{ stale, absent time.Duration }

const day = 24 * time.Hour

var (
	usualSilence = silence{stale: 30 * day, absent: 90 * day}
	// shortSilence is that of classes whose things are made for hours.
	shortSilence = map[string]silence{
		inventory.ClassContainer: {stale: 6 * time.Hour, absent: day},
	}
)

// ObservationState tells how a CI stands of whose observers one is expected every interval. It is "" for one that is
// observed by none, that is retired, or of which it is not known when it was observed.
func (p *Precedence) ObservationState(ci inventory.CIDetails, now time.Time, interval time.Duration) string {
	lastSeen, known := p.lastObserved(ci.Sources)
	if !known || ci.RetiredAt != nil {
		return ""
	}
	limits, short := shortSilence[ci.Class]
	if !short {
		limits = usualSilence
	}
	switch quiet := now.Sub(lastSeen); {
	case quiet < missedCheckIns*interval:
		return ObservationActive
	case quiet >= limits.absent:
		return ObservationAbsent
	case quiet >= limits.stale:
		return ObservationStale
	default:
		return ObservationSilent
	}
}

// lastObserved returns when the last of those who observe was observed. What was declared is there until somebody says
// otherwise, and is not observed.
func (p *Precedence) lastObserved(sources []inventory.SourceRecord) (at time.Time, known bool) {
	for _, source := range sources {
		switch {
		case !p.Observes(source.Source):
		case source.LastSeen == nil:
			return time.Time{}, false
		case source.LastSeen.After(at):
			at, known = *source.LastSeen, true
		}
	}
	return at, known
}
