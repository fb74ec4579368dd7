package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// helperDir makes the test binary a process that starts a cluster in that directory and waits to be
// killed.
const helperDir = "MUSTER_TEST_CLUSTER_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(helperDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	c, err := Start(context.Background(), Options{Dir: dir, Settings: quick()})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = fmt.Fprintln(os.Stdout, c.URL())
	select {}
}

// quick turns off waiting for the disk, which matters only in a power loss.
func quick() map[string]string { return map[string]string{"fsync": "off"} }

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	return startWith(t, Options{Dir: dir, Settings: quick()})
}

func startWith(t *testing.T, o Options) *Cluster {
	t.Helper()
	requireServer(t)
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	return c
}

func requireServer(t *testing.T) {
	t.Helper()
	_, err := findServer(t.Context(), 0)
	if errors.Is(err, ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ask runs a query that returns one text.
func ask(t *testing.T, url, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var text string
	if err := conn.QueryRow(t.Context(), query).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

// keep writes a value that survives whatever the test does to the server.
func keep(t *testing.T, url, value string) {
	t.Helper()
	ask(t, url, "SELECT set_config('x.x', 'x', false)")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT '"+value+"' AS value"); err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, url string) string {
	t.Helper()
	return ask(t, url, "SELECT value FROM kept")
}

func TestStartStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startWith(t, Options{Dir: dir, Settings: map[string]string{"work_mem": "5MB"}})

	want := map[string]string{
		"fsync": "on", "jit": "off", "checkpoint_timeout": "15min", "listen_addresses": "", "work_mem": "5MB",
		"server_encoding": "UTF8", "lc_collate": locale, "TimeZone": "UTC", "data_checksums": "off",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = ask(t, c.URL(), "SELECT current_setting('"+name+"')")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}

	keep(t, c.URL(), "before")
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	if left := c.server.remnants(c.name()); len(left) > 0 {
		t.Errorf("processes left after the stop: %v", left)
	}
	if _, err := os.Stat(c.sockets); err == nil {
		t.Errorf("%s is left after the stop", c.sockets)
	}

	again := start(t, dir)
	if got := kept(t, again.URL()); got != "before" {
		t.Errorf("after the second start: got %q", got)
	}
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	_, err := Start(t.Context(), Options{Dir: c.dir})
	if err == nil || !strings.Contains(err.Error(), "another process runs the cluster") {
		t.Errorf("second start: got %v", err)
	}
	if got := ask(t, c.URL(), "SELECT 'alive'"); got != "alive" {
		t.Error("the second start harmed the first")
	}
}

func TestKilledParent(t *testing.T) {
	t.Parallel()
	requireServer(t)
	dir := t.TempDir()
	helper, url := startHelper(t, dir)
	keep(t, url, "committed")

	_ = helper.Process.Kill()
	_ = helper.Wait()

	c := &Cluster{dir: dir}
	server := &server{account: mustAccount(t, c.data())}
	until(t, "PostgreSQL has followed its parent", func() bool { return len(server.remnants(c.name())) == 0 })

	again := start(t, dir)
	if got := kept(t, again.URL()); got != "committed" {
		t.Errorf("after the kill: got %q", got)
	}
	if strings.Contains(again.log.tail(), "not properly shut down") {
		t.Error("PostgreSQL was not shut down cleanly")
	}
}

// startHelper runs Start in another process.
func startHelper(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperDir+"="+dir)
	helper.Stderr = os.Stderr
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = helper.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "postgres://") {
		t.Fatalf("helper: %q, %v", line, err)
	}
	return helper, strings.TrimSpace(line)
}

func mustAccount(t *testing.T, data string) *account {
	t.Helper()
	a, err := accountFor(data)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	deadline := time.After(2 * time.Minute)
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not within 2 minutes: %s", what)
		}
	}
}

// A server whose parent ended without notice, as on systems without a parent-death signal.
func TestRemnantIsStopped(t *testing.T) {
	t.Parallel()
	left := start(t, t.TempDir())
	keep(t, left.URL(), "committed")
	if err := left.lock.Close(); err != nil {
		t.Fatal(err)
	}

	c := start(t, left.dir)
	select {
	case <-left.Done():
	default:
		t.Error("two servers at once on one directory")
	}
	if got := kept(t, c.URL()); got != "committed" {
		t.Errorf("after the take-over: got %q", got)
	}
}

func TestKilledServer(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	keep(t, c.URL(), "committed")
	if err := c.process.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if err := c.Stop(t.Context()); err == nil {
		t.Error("a server that was killed ended without an error")
	}

	again := start(t, c.dir)
	if got := kept(t, again.URL()); got != "committed" {
		t.Errorf("after the recovery: got %q", got)
	}
}

// The process of the pid file lives, but is not a server.
func TestStalePidFile(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	stale := strconv.Itoa(os.Getpid()) + "\n" + c.data() + "\n1\n5432\n/tmp\n\n  1  1\nready   \n"
	if err := os.WriteFile(filepath.Join(c.data(), pidFile), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, c.dir)
}

// A path that is too long for a socket, below a directory that the server's user cannot enter.
func TestLongClosedPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, filepath.Join(dir, strings.Repeat("long/", 30), "it's 100% ö"))
}

func TestOtherMajor(t *testing.T) {
	t.Parallel()
	requireServer(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 9 created the data directory, but the installed version is 1") {
		t.Errorf("got %v", err)
	}
}

func TestFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	requireServer(t)
	dir := t.TempDir()
	_, err := Start(t.Context(), Options{Dir: dir, Settings: map[string]string{"shared_buffers": "much"}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "shared_buffers": "much"`) {
		t.Errorf("got %v", err)
	}
	start(t, dir) // the failed start left nothing behind
}

func TestStartCanBeCanceled(t *testing.T) {
	t.Parallel()
	requireServer(t)
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, Options{Dir: dir}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	start(t, dir)
}
