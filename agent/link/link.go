// Package link is the agent's client of the collector. It enrolls, renews the certificate, takes a
// new key and sends inventories over one stream. The collector can ask for four things: send
// sections, send them again, collect now, take a new key. No message can make the agent run, read
// or change anything else. Start reading at Agent.Run in run.go, then at checkIn in checkin.go.
package link

import (
	"context"
	"log/slog"
	"time"

	"github.com/musterhq/muster/agent/state"
)

// Agent is the client of one machine. State and Collect are required.
type Agent struct {
	State *state.State
	// Collect takes the machine's inventory.
	Collect func(context.Context) Inventory
	// Idle is called before Run waits for the next check-in, to return memory to the system; nil:
	// it keeps the memory.
	Idle func()
	// Ended reports after each check-in whether Run must end; nil: it need not.
	Ended   func() bool
	Version string
	BootID  string           // empty if unknown
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: no log

	renew bool // the collector refused the certificate, so it must be renewed whatever the clock says
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
