package user

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// there is an expected presence, in hours.
type there struct {
	Console, Remote float64
	Sessions        int
}

func TestPresences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		log   *log
		until float64
		want  map[string]there
	}{
		{"a day's work", newLog().boot(0).login("ada", "tty2", ":0", 1).logout("tty2", 9).shutdown(9.1), 20, map[string]there{"ada": {8, 0, 1}}},
		{"still there", newLog().boot(0).login("ada", "tty2", "tty2", 1), 5, map[string]there{"ada": {4, 0, 1}}},
		{"switched off with the session open", newLog().login("ada", "tty2", ":0", 1).shutdown(3).boot(20), 25, map[string]there{"ada": {2, 0, 1}}},
		{"a crash: there until the last record before it", newLog().login("ada", "tty2", ":0", 1).login("bob", "pts/1", "192.0.2.7", 4).boot(20), 25,
			map[string]there{"ada": {3, 0, 1}, "bob": {0, 0, 0}}},
		{"ten terminals are one presence", newLog().login("ada", "tty2", ":0", 1).login("ada", "pts/1", ":0", 2).login("ada", "pts/2", ":0.0", 2).
			logout("pts/1", 3).logout("tty2", 4).logout("pts/2", 4), 9, map[string]there{"ada": {3, 0, 3}}},
		{"the record of the end is missing", newLog().login("ada", "tty2", "", 1).login("bob", "tty2", "", 4).logout("tty2", 5), 9,
			map[string]there{"ada": {3, 0, 1}, "bob": {1, 0, 1}}},
		{"by ssh, and in a terminal multiplexer", newLog().login("ada", "pts/0", "host.example.com", 1).login("ada", "pts/1", "tmux(77).%0", 1).
			login("ada", "pts/2", ":pts/0:S.0", 1).login("ada", "pts/3", "2001:db8::7", 1).shutdown(2), 9, map[string]there{"ada": {0, 1, 0}}},
		{"an end without a beginning, and the clock set back", newLog().logout("tty2", 1).login("ada", "tty3", "", 5).logout("tty3", 4), 9, map[string]there{"ada": {0, 0, 1}}},
		{"run level 5 ends nothing", newLog().login("ada", "tty2", "", 1).add(runLevel, "runlevel", "~", "", 2).logout("tty2", 3), 9, map[string]there{"ada": {2, 0, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := map[string]there{}
			for login, p := range presences(parse(c.log.data), at(c.until)) {
				got[login] = there{p.console.total.Hours(), p.remote.total.Hours(), p.sessions}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLastTo(t *testing.T) {
	t.Parallel()
	if got := lastTo(at(1), at(9), at(-1)); got != at(9) {
		t.Errorf("%v, want until now", got)
	}
	if got := lastTo(at(1), at(9), at(7)); got != at(1) {
		t.Errorf("%v, want until the last record: it is from before the start of the machine", got)
	}
}

// TestPresencesProperties: nobody's presence is longer than the time on record.
func TestPresencesProperties(t *testing.T) {
	t.Parallel()
	kinds := rapid.SampledFrom([]int{runLevel, bootTime, userProcess, userProcess, deadProcess})
	rapid.Check(t, func(t *rapid.T) {
		l, hours := newLog(), 0.0
		for range rapid.IntRange(1, 40).Draw(t, "records") {
			hours += float64(rapid.IntRange(0, 5).Draw(t, "hours"))
			l.add(kinds.Draw(t, "kind"), rapid.SampledFrom([]string{"ada", "bob", "shutdown"}).Draw(t, "user"),
				rapid.SampledFrom([]string{"tty2", "pts/0", "pts/1"}).Draw(t, "line"), rapid.SampledFrom([]string{"", ":0", "192.0.2.7"}).Draw(t, "host"), hours)
		}
		for login, p := range presences(parse(l.data), at(hours)) {
			if p.console.open != 0 || p.remote.open != 0 {
				t.Errorf("%s has open sessions: %+v", login, p)
			}
			if limit := at(hours).Sub(at(0)); p.console.total > limit || p.remote.total > limit || p.console.total < 0 || p.remote.total < 0 {
				t.Errorf("%s was there for %v and %v in %v", login, p.console.total, p.remote.total, limit)
			}
		}
	})
}
