// Package link is the agent's side of the wire: it enrolls, renews its certificate, takes a new key, and keeps the
// conversation in which inventories travel. It sends what it is given and does what four messages ask for:
// send, send again, collect now, take a new key. There is no message that makes it run, read or change anything else.
package link

import (
	"context"
	"log/slog"
	"time"

	"github.com/musterhq/muster/agent/state"
)

// Agent is one machine's side of the wire. State and Collect are required.
type Agent struct {
	State *state.State
	// Collect takes the machine's inventory.
	Collect func(context.Context) Inventory
	Version string
	BootID  string           // empty: not known
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: silence

	renew bool // the collector refused the certificate: whatever the clock says, it has to be renewed
}

func (a *Agent) now() time.Time { return clock(a.Now)() }

func (a *Agent) logger() *slog.Logger {
	if a.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.Logger
}

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
