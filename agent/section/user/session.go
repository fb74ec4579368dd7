package user

import (
	"strings"
	"time"
)

// presence is how long a user was logged on.
type presence struct {
	login     string
	cut       bool // the login may be truncated
	console   span
	remote    span
	sessions  int // at the console
	lastLogin time.Time
}

// span adds up the time in which at least one session is open. Parallel sessions count once.
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

// sessionTotals processes the records of wtmp in the order of time.
type sessionTotals struct {
	users map[string]*presence
	lines map[string]*span // of the open sessions, by terminal
	seen  time.Time        // time of the last record, when the machine was running
}

// presences returns the users' presence. Open sessions count until the given time.
func presences(records []record, until time.Time) map[string]*presence {
	l := sessionTotals{users: map[string]*presence{}, lines: map[string]*span{}}
	for _, r := range records {
		l.take(r)
		l.seen = r.at
	}
	l.endAll(until)
	return l.users
}

func (l *sessionTotals) take(r record) {
	switch {
	case r.kind == bootTime: // open sessions ended in a crash after the last record
		l.endAll(l.seen)
	case r.kind == runLevel && r.user == "shutdown":
		l.endAll(r.at)
	case r.kind == deadProcess:
		l.end(r.line, r.at)
	case r.kind == userProcess && r.user != "":
		l.end(r.line, r.at) // a terminal has one session, so the record of its end is missing
		l.begin(r)
	}
}

func (l *sessionTotals) begin(r record) {
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

func (l *sessionTotals) end(line string, at time.Time) {
	if s, found := l.lines[line]; found {
		s.end(at)
		delete(l.lines, line)
	}
}

func (l *sessionTotals) endAll(at time.Time) {
	for line := range l.lines {
		l.end(line, at)
	}
}

// local reports whether the session is at the machine's own screen: the host is empty, a display
// without a host name such as ":0", or the virtual terminal, which display managers write for
// Wayland.
func (r record) local() bool {
	if r.host == "" || strings.HasPrefix(r.host, "tty") {
		return true
	}
	display, found := strings.CutPrefix(r.host, ":")
	return found && display != "" && strings.Trim(display, "0123456789.") == ""
}

// lastTo returns when open sessions end: now, or the last record if the machine was started after
// it, because then nothing writes records any more.
func lastTo(last, now, started time.Time) time.Time {
	if last.Before(started) {
		return last
	}
	return now
}
