package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// watch starts a cluster that is restarted when it ends.
func watch(t *testing.T) *Cluster {
	t.Helper()
	c := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		c.Watch(ctx)
		close(ended)
	}()
	t.Cleanup(func() { // before the cleanup of start, which stops the server
		cancel()
		<-ended
	})
	return c
}

// pidOf returns the process ID in the pid file, or "" without one.
func pidOf(c *Cluster) string {
	text, _ := os.ReadFile(filepath.Join(c.data(), pidFile))
	first, _, _ := strings.Cut(string(text), "\n")
	return first
}

// running reports whether the server in c accepts connections.
func running(t *testing.T, c *Cluster) bool {
	t.Helper()
	return c.server.run(t.Context(), "pg_isready", c.data(), "", "--host", c.sockets) == nil
}

// TestKilledServerIsRestarted: committed data is there, and the URL is the same.
func TestKilledServerIsRestarted(t *testing.T) {
	t.Parallel()
	c := watch(t)
	url := c.URL()
	keep(t, url, "committed")
	for range 2 { // the second time within a moment
		before := pidOf(c)
		kill(t, before)
		until(t, "the server to be restarted", func() bool { return pidOf(c) != before && running(t, c) })
		if got := kept(t, url); got != "committed" {
			t.Errorf("after the restart: got %q", got)
		}
		if err := c.Err(); err != nil {
			t.Error(err)
		}
	}
}

// TestServerThatCannotBeRestarted: Err reports it, and when the cause is gone the server runs again
// without anybody's help.
func TestServerThatCannotBeRestarted(t *testing.T) {
	t.Parallel()
	c := watch(t)
	keep(t, c.URL(), "committed")
	control := filepath.Join(c.data(), "global", "pg_control")
	if err := os.Rename(control, control+".away"); err != nil {
		t.Fatal(err)
	}
	kill(t, pidOf(c))
	until(t, "the restart to fail", func() bool { return c.Err() != nil })
	if err := c.Err(); !strings.Contains(err.Error(), "could not find the database system") &&
		!strings.Contains(err.Error(), "pg_control") {
		t.Errorf("got %v, want the end of the server's log", err)
	}
	if err := os.Rename(control+".away", control); err != nil {
		t.Fatal(err)
	}
	until(t, "the server to run again", func() bool { return c.Err() == nil && running(t, c) })
	if got := kept(t, c.URL()); got != "committed" {
		t.Errorf("after the restart: got %q", got)
	}
}

// TestRoleIsNoSuperuser: the role of the collector owns its database and can do no more than that.
func TestRoleIsNoSuperuser(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	got := ask(t, c.URL(), `
		select concat_ws(' ', current_user, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
			pg_has_role('pg_execute_server_program', 'member'), pg_has_role('pg_read_server_files', 'member'),
			has_database_privilege(current_database(), 'create'), has_schema_privilege('public', 'create'))
		from pg_roles where rolname = current_user`)
	if want := "muster f f f f f f f t t"; got != want {
		t.Errorf("role and rights: got %q, want %q", got, want)
	}
	if got := ask(t, c.AdminURL(), `select current_setting('is_superuser')`); got != "on" {
		t.Errorf("the administrator is a superuser: got %q", got)
	}
}

// TestFree: the free space is that of the cluster's disk.
func TestFree(t *testing.T) {
	t.Parallel()
	free, err := (&Cluster{dir: t.TempDir()}).Free()
	if err != nil || free <= 0 {
		t.Errorf("got %d bytes, %v", free, err)
	}
	if _, err := (&Cluster{dir: filepath.Join(t.TempDir(), "missing")}).Free(); err == nil {
		t.Error("no error for a missing directory")
	}
}

func kill(t *testing.T, pid string) {
	t.Helper()
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(number, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
