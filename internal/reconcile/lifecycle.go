package reconcile

import (
	"slices"
	"time"
)

// State is a state in the life of an asset.
type State struct {
	Name  string
	Label string
	Left  bool // the asset is no longer among those that are looked after
}

// The states that something follows from.
const (
	StateInUse    = "in_use"
	StateRetired  = "retired"
	StateDisposed = "disposed"
	StateLost     = "lost"
)

var states = []State{
	{Name: "ordered", Label: "Ordered"},
	{Name: "received", Label: "Received"},
	{Name: "in_stock", Label: "In stock"},
	{Name: StateInUse, Label: "In use"},
	{Name: "in_repair", Label: "In repair"},
	{Name: StateRetired, Label: "Retired", Left: true},
	{Name: StateDisposed, Label: "Disposed", Left: true},
	{Name: StateLost, Label: "Lost", Left: true},
}

// Lifecycle lists the states of an asset in the order of a life. They are said by people and by those who buy; an
// asset may go from any of them to any other.
func Lifecycle() []State { return slices.Clone(states) }

func hasLeft(name string) bool {
	return slices.ContainsFunc(states, func(s State) bool { return s.Name == name && s.Left })
}

// The states of a CI's observation. They follow from when it was last heard of, and are not stored.
const (
	ObservationActive = "active" // it was heard of within three intervals
	ObservationSilent = "silent"
	ObservationStale  = "stale"
	ObservationGone   = "gone"
)

// missedCheckIns are the intervals that an active CI may be silent: one check-in may fail and one be late.
const missedCheckIns = 3

// silence says how long a CI is not heard of before it is stale, and gone.
type silence struct{ stale, gone time.Duration }

const day = 24 * time.Hour

var (
	usualSilence = silence{stale: 30 * day, gone: 90 * day}
	// shortSilence is that of classes whose things are made for hours.
	shortSilence = map[string]silence{
		ClassContainer: {stale: 6 * time.Hour, gone: day},
	}
)

// ObservationState tells how a CI of a class stands that was last heard of at lastSeen and is expected every
// interval. It is "" for one that was never heard of.
func ObservationState(class string, lastSeen, now time.Time, interval time.Duration) string {
	limits, short := shortSilence[class]
	if !short {
		limits = usualSilence
	}
	quiet := now.Sub(lastSeen)
	switch {
	case lastSeen.IsZero():
		return ""
	case quiet < missedCheckIns*interval:
		return ObservationActive
	case quiet >= limits.gone:
		return ObservationGone
	case quiet >= limits.stale:
		return ObservationStale
	default:
		return ObservationSilent
	}
}
