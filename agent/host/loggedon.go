package host

import "time"

// LoggedOn is a session of a user who is logged on to macOS.
type LoggedOn struct {
	User     string
	Terminal string // "console" for the screen, else e.g. "ttys001"
	From     string // a remote machine; empty for a terminal of this one
	Since    time.Time
}

// LoggedOn returns the sessions that are open now. Linux has them in files.
func (h *Host) LoggedOn() ([]LoggedOn, error) {
	return ask(h, "logged-on users", "", loggedOn)
}
