package e2e

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
)

// agent is the agent's own code on a simulated machine: real state, real link, real protocol.
type agent struct {
	*link.Agent

	dir    string // of its state
	log    *output
	device string // its device, once known
}

// enroll enrolls an agent with the collector that listens at via.
func enroll(t testing.TB, c *collector, via string, m *machine) *agent {
	t.Helper()
	ticket := c.ticket(t, nil)
	identity, err := link.Enroll(t.Context(), link.Enrollment{Collector: via, Token: ticket.Token, Pin: ticket.CAPin}, nil)
	if err != nil {
		t.Fatal(link.Explain(err))
	}
	a := resume(t, filepath.Join(t.TempDir(), "agent"), m, "boot-1")
	if err := a.State.SetIdentity(identity); err != nil {
		t.Fatal(err)
	}
	return a
}

// resume starts an agent on the state in a directory.
func resume(t testing.TB, dir string, m *machine, boot string) *agent {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the test may have closed it
	a := &agent{dir: dir, log: &output{}}
	a.Agent = &link.Agent{
		State: s, Collect: m.collect, Version: "1.2.3", BootID: boot,
		Logger: slog.New(slog.NewTextHandler(a.log, nil)),
	}
	return a
}

// again restarts the agent. Another boot ID means that the machine was restarted.
func (a *agent) again(t testing.TB, m *machine, boot string) *agent {
	t.Helper()
	if err := a.State.Close(); err != nil {
		t.Fatal(err)
	}
	next := resume(t, a.dir, m, boot)
	next.device = a.device
	return next
}

// mustSync checks in once.
func (a *agent) mustSync(t testing.TB) link.Report {
	t.Helper()
	report, err := a.Sync(t.Context())
	if err != nil {
		t.Fatal(link.Explain(err))
	}
	return report
}

// id returns the agent's ID.
func (a *agent) id(t testing.TB) string {
	t.Helper()
	identity, err := a.State.Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.AgentID
}

// copyState copies an agent's state including the identity, as cloning a disk or restoring a backup
// does.
func copyState(t testing.TB, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "copy")
	restoreState(t, from, to)
	return to
}

// restoreState replaces a state by a copy.
func restoreState(t testing.TB, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
}

// program runs the real agent and returns its output, and its error output as the error.
func program(t testing.TB, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built.agent, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// enrollProgram enrolls the real agent and returns its state directory.
func enrollProgram(t testing.TB, c *collector, via string) (dir string) {
	t.Helper()
	ticket := c.ticket(t, nil)
	dir = filepath.Join(t.TempDir(), "agent")
	if _, err := program(t, []string{"MUSTER_TOKEN=" + ticket.Token},
		"enroll", "--state", dir, "--collector", via, "--ca-pin", ticket.CAPin); err != nil {
		t.Fatal(err)
	}
	return dir
}

// statusOf returns the status of the real agent.
func statusOf(t testing.TB, dir string) (s struct {
	Enrolled bool   `json:"enrolled"`
	AgentID  string `json:"agent_id"`
	state.Status
}) {
	t.Helper()
	// The exit code is 1 if something is wrong, which is for the test to decide.
	out, failure := program(t, nil, "status", "--state", dir, "--output", "json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err, failure)
	}
	return s
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
