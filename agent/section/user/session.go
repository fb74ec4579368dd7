package user

import (
	"strings"
	"time"
)

// presence is how long a user was there.
type presence struct {
	login     string
	cut       bool // the login may be longer
	console   span
	remote    span
	sessions  int // at the console
	lastLogin time.Time
}

// span adds up the time in which at least one session is open: somebody with ten terminals is there once.
type span struct {
	open  int
	since time.Time
	total time.Duration
}

func (s *span) begin(at time.Time) {
	if s.open == 0 {
		s.since = at
	}
	s.open++
}

func (s *span) end(at time.Time) {
	s.open--
	if s.open == 0 && at.After(s.since) {
		s.total += at.Sub(s.since)
	}
}

// ledger goes through the records of wtmp, the oldest first.
type ledger struct {
	users map[string]*presence
	lines map[string]*span // of the open sessions, by terminal
	seen  time.Time        // of the last record: the machine was running then
}

// presences adds up who was there. Sessions that have not ended are counted until the given time.
func presences(records []record, until time.Time) map[string]*presence {
	l := ledger{users: map[string]*presence{}, lines: map[string]*span{}}
	for _, r := range records {
		l.take(r)
		l.seen = r.at
	}
	l.endAll(until)
	return l.users
}

func (l *ledger) take(r record) {
	switch {
	case r.kind == bootTime: // whatever is open ended with a crash, after the last record
		l.endAll(l.seen)
	case r.kind == runLevel && r.user == "shutdown":
		l.endAll(r.at)
	case r.kind == deadProcess:
		l.end(r.line, r.at)
	case r.kind == userProcess && r.user != "":
		l.end(r.line, r.at) // a terminal has one session: the record of the end is missing
		l.begin(r)
	}
}

func (l *ledger) begin(r record) {
	p := l.users[r.user]
	if p == nil {
		p = &presence{login: r.user, cut: r.cut}
		l.users[r.user] = p
	}
	p.lastLogin = r.at
	at := &p.remote
	if r.local() {
		at = &p.console
		p.sessions++
	}
	at.begin(r.at)
	l.lines[r.line] = at
}

func (l *ledger) end(line string, at time.Time) {
	if s, found := l.lines[line]; found {
		s.end(at)
		delete(l.lines, line)
	}
}

func (l *ledger) endAll(at time.Time) {
	for line := range l.lines {
		l.end(line, at)
	}
}

// local reports whether the session is at the machine's own screen: the host is empty, a display without a host's name
// as ":0", or the virtual terminal itself, which display managers write for Wayland.
func (r record) local() bool {
	if r.host == "" || strings.HasPrefix(r.host, "tty") {
		return true
	}
	display, found := strings.CutPrefix(r.host, ":")
	return found && display != "" && strings.Trim(display, "0123456789.") == ""
}

// lastTo tells until when open sessions last: until now, unless the machine was started after the last record, which
// means that nobody keeps the record any more.
func lastTo(last, now time.Time, uptime time.Duration) time.Time {
	if last.Before(now.Add(-uptime)) {
		return last
	}
	return now
}
