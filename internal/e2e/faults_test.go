package e2e

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/musterhq/muster/internal/pgtest"
)

// failing makes the database raise an SQLSTATE for the first changes of a CI's values, and returns
// how often it did.
func failing(t *testing.T, d *database, state string, times int) (raised func() int) {
	t.Helper()
	d.exec(t, `create sequence raised`)
	d.exec(t, `
		create function fail() returns trigger language plpgsql as $$ begin
			if nextval('raised') <= `+strconv.Itoa(times)+` then raise exception sqlstate '`+state+`'; end if;
			return new;
		end $$;
		create trigger fail before insert on item_event for each row execute function fail()`)
	return func() int {
		return min(value[int](t, d, `select last_value::int from raised where is_called union all select 0 limit 1`), times)
	}
}

// TestDeadlocksAreRetried: the database ends a transaction for a deadlock (40P01). The collector
// repeats it, with a bound; a deadlock that does not end makes the agent wait, and nothing is lost.
func TestDeadlocksAreRetried(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		times   int
		retried bool
	}{{"twice", 2, true}, {"without end", 1000, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			d, collector, m := open(t, url), newCollector(t, url), newMachine(65, "S1")
			a := enroll(t, collector, collector.agents, m)
			a.mustSync(t)
			truth := [][]change{m.change()}
			raised := failing(t, d, "40P01", c.times)
			if c.retried {
				a.mustSync(t)
			} else {
				checkPaced(t, a, "concurrent changes")
				d.exec(t, `drop function fail() cascade`)
				a.mustSync(t)
			}
			if n := raised(); n < 2 || n > 100 {
				t.Errorf("the database ended %d transactions, want at least 2 and a bound", n)
			}
			checkEqual(t, collector, a, m)
			checkFeed(t, collector, a.device, truth)
		})
	}
}

// TestDatabaseClockGoesBack: the database has changes that are newer than its clock. A version
// never begins before the one that it replaces: the agent waits until the clock has passed them.
func TestDatabaseClockGoesBack(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	d, c, m := open(t, url), newCollector(t, url), newMachine(66, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	ahead := func(by string) {
		t.Helper()
		for _, table := range []string{"ci_version", "record_version"} {
			d.exec(t, `update `+table+` set valid_from = valid_from + $1::interval where valid_to = 'infinity'`, by)
		}
	}
	ahead("1 hour")
	m.rename()
	checkPaced(t, a, "clock of the database")
	ahead("-1 hour")
	a.mustSync(t)
	checkEqual(t, c, a, m)
	negative := value[int](t, d, `select count(*)::int from ci_version where valid_to <= valid_from`)
	if negative != 0 {
		t.Errorf("%d versions end before they begin", negative)
	}
}

// TestFileDescriptorsRunOut: connections use up all file descriptors of the collector. When they
// end, it serves again.
func TestFileDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	c, m := newCollector(t, url), newMachine(67, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	few := &unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_NOFILE, few, nil); err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	for range 200 {
		conn, err := net.Dial("tcp", c.agents)
		if err != nil {
			break // the queue of the listener is full
		}
		open = append(open, conn)
	}
	m.change()
	for _, conn := range open {
		_ = conn.Close()
	}
	eventually(t, "the API to answer", func() bool { return c.readiness() == http.StatusOK })
	a.mustSync(t)
	checkEqual(t, c, a, m)
	if !c.running() || strings.Contains(c.log.String(), "panic") {
		t.Error("the collector ended or panicked")
	}
}
