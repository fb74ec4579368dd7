package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/pgtest"
)

// reply is the response to a request that may fail.
type reply struct {
	status int
	retry  string // Retry-After
	text   string
}

func (c *collector) reply(t testing.TB, method, path string, body any) reply {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header.Get("Retry-After"), string(text)}
}

// read is a request that changes nothing, write one that does.
func (c *collector) read(t testing.TB) reply {
	t.Helper()
	return c.reply(t, http.MethodGet, "/api/v1/devices", nil)
}

func (c *collector) write(t testing.TB) reply {
	t.Helper()
	return c.reply(t, http.MethodPost, "/api/v1/enrollment-tokens", map[string]any{"name": "any"})
}

// checkOutage checks that a request was rejected, without internals, and asks to be repeated.
func checkOutage(t testing.TB, what string, got reply, words string) {
	t.Helper()
	seconds, err := strconv.Atoi(got.retry)
	if got.status != http.StatusServiceUnavailable || err != nil || seconds < 1 || !strings.Contains(got.text, words) {
		t.Errorf("%s: got %+v, want 503 with Retry-After and %q", what, got, words)
	}
	if strings.Contains(got.text, "SQLSTATE") {
		t.Errorf("%s shows internals: %s", what, got.text)
	}
}

// checkPaced checks that a sync failed and that the agent was asked to wait.
func checkPaced(t testing.TB, a *agent, words string) {
	t.Helper()
	_, err := a.Sync(t.Context())
	s, _ := status.FromError(err)
	var wait *errdetails.RetryInfo
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			wait = info
		}
	}
	if s.Code() != codes.Unavailable || wait.GetRetryDelay().AsDuration() <= 0 || !strings.Contains(s.Message(), words) {
		t.Errorf("sync: got %v with %v, want Unavailable with a wait and %q", err, wait, words)
	}
	if err != nil && link.BackoffAfter(1, err) < wait.GetRetryDelay().AsDuration() {
		t.Error("the agent does not wait as long as it was asked to")
	}
}

// TestForeignDatabaseThatRejectsWrites: the server of another operator has a full disk (53100), or
// has become read-only (25006). Inventories and changes wait, reads go on, and everything continues
// without a restart.
func TestForeignDatabaseThatRejectsWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, words, begin, end string }{
		{"disk full", "disk of the database is full", `
			create function full_disk() returns trigger language plpgsql as $$
				begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
			do $$ declare name text; begin
				for name in select format('%I', relname) from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
				loop execute 'create trigger full_disk before insert or update on ' || name ||
					' for each statement execute function full_disk()'; end loop; end $$`,
			`drop function full_disk() cascade`},
		{"read-only", "database is read-only", `
			do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$;
			select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`, `
			set transaction_read_only = off;
			do $$ begin execute format('alter database %I reset default_transaction_read_only', current_database()); end $$;
			select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			d, collector, m := open(t, url), newCollector(t, url), newMachine(60, "S1")
			a := enroll(t, collector, collector.agents, m)
			a.mustSync(t)
			m.change()

			d.exec(t, c.begin)
			eventually(t, "writes to be rejected for their reason", func() bool {
				return strings.Contains(collector.write(t).text, c.words)
			})
			checkOutage(t, "a change", collector.write(t), c.words)
			checkPaced(t, a, c.words)
			if got := collector.read(t); got.status != http.StatusOK {
				t.Errorf("a read: got %+v", got)
			}

			d.exec(t, c.end)
			eventually(t, "writes to work again", func() bool { return collector.write(t).status == http.StatusCreated })
			a.mustSync(t)
			checkEqual(t, collector, a, m)
		})
	}
}

// TestDatabaseHangs: the database keeps its connections and answers nothing (SIGSTOP). Requests and
// check-ins fail soon instead of waiting, and everything continues when it goes on.
func TestDatabaseHangs(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	c, m := newCollector(t, server.URL()), newMachine(61, "S1")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	m.change()

	resume := server.Hang(t)
	eventually(t, "the collector to notice", func() bool { return strings.Contains(c.read(t).text, "does not answer") })
	checkOutage(t, "a read", c.read(t), "the database does not answer")
	checkOutage(t, "a change", c.write(t), "the database does not answer")
	checkOutage(t, "readyz", c.reply(t, http.MethodGet, "/readyz", nil), "the database does not answer")
	if got := c.reply(t, http.MethodGet, "/healthz", nil); got.status != http.StatusOK {
		t.Errorf("healthz: got %+v", got)
	}
	checkPaced(t, a, "the database does not answer")

	resume()
	eventually(t, "the collector to be ready", func() bool { return c.readiness() == http.StatusOK })
	a.mustSync(t)
	checkEqual(t, c, a, m)
	c.stop(t)
}

// TestPrivateDatabaseIsRestarted: the private PostgreSQL is killed, and then killed when it cannot
// be started. The collector keeps running, /healthz reports the second case, and nothing is lost.
func TestPrivateDatabaseIsRestarted(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t, ""), newMachine(62, "S1")
	began, dir := c.process, filepath.Join(c.dir, "postgres")
	a := enroll(t, c, c.agents, m)
	a.mustSync(t)
	health := func() int { return c.reply(t, http.MethodGet, "/healthz", nil).status }

	m.change()
	pgtest.Kill(t, dir)
	eventually(t, "the restart", func() bool { return strings.Contains(c.log.String(), "PostgreSQL restarted") })
	eventually(t, "the collector to be ready", func() bool { return c.readiness() == http.StatusOK })
	if got := health(); got != http.StatusOK {
		t.Errorf("healthz after the restart: got %d", got)
	}
	a.mustSync(t)
	checkEqual(t, c, a, m)

	m.change()
	control := filepath.Join(dir, "data", "global", "pg_control")
	if err := os.Rename(control, control+".away"); err != nil {
		t.Fatal(err)
	}
	pgtest.Kill(t, dir)
	eventually(t, "healthz to fail", func() bool { return health() == http.StatusServiceUnavailable })
	checkOutage(t, "healthz", c.reply(t, http.MethodGet, "/healthz", nil), "cannot be restarted")
	checkOutage(t, "a read", c.read(t), "")
	checkPaced(t, a, "")
	if err := os.Rename(control+".away", control); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the collector to heal", func() bool { return health() == http.StatusOK && c.readiness() == http.StatusOK })
	a.mustSync(t)
	checkEqual(t, c, a, m)
	if c.process != began || !c.running() {
		t.Error("the collector ended")
	}
	c.stop(t)
}
