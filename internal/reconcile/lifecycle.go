package reconcile

import (
	"slices"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// stateInUse is the life-cycle state of what is observed.
const stateInUse = "in_use"

// IsDisposed reports whether the life-cycle state of a CI is that of an asset that is no longer
// managed.
func IsDisposed(attributes inventory.Attributes) bool {
	state, _ := attributes[inventory.AttributeLifecycleState].(string)
	return isDisposed(state)
}

// isDisposed reports whether a life-cycle state is that of an asset that is no longer managed.
func isDisposed(state string) bool {
	return slices.Contains([]string{"retired", "disposed", "lost"}, state)
}

// The states of a CI's observation. They are computed from its last observation and not stored.
const (
	ObservationActive = "active" // observed within three check-ins
	ObservationSilent = "silent"
	ObservationStale  = "stale"
	ObservationAbsent = "absent"
)

// missedCheckIns is the number of intervals for which an active CI may be silent: one check-in may
// fail and one be late.
const missedCheckIns = 3

// silence is how long a CI is not observed before it is stale and absent.
type silence struct{ stale, absent time.Duration }

const day = 24 * time.Hour

var (
	usualSilence = silence{stale: 30 * day, absent: 90 * day}
	// shortSilence is that of classes whose CIs live for hours.
	shortSilence = map[string]silence{
		inventory.ClassContainer: {stale: 6 * time.Hour, absent: day},
	}
)

// ObservationState returns the observation state of a CI whose observers check in every interval.
// It is "" for a CI that is retired, that no source observes, or whose last observation is unknown.
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

// lastObserved returns the last observation by a source that observes. Declared values are valid
// without observation.
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
