package pgtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// SIGSTOP and SIGCONT of Linux (signal(7)); not every system has names for them.
const (
	stop    = syscall.Signal(19)
	proceed = syscall.Signal(18)
)

// Kill kills the first process of the server in dir, a cluster's directory, as kill -9 does. Only
// Linux.
func Kill(t testing.TB, dir string) {
	t.Helper()
	signal(processes(t, dir)[:1], syscall.SIGKILL)
}

// Hang stops all processes of the server, so that connections stay open and nothing answers. It
// returns the function that lets them go on. Only Linux.
func (s *Server) Hang(t testing.TB) (resume func()) {
	t.Helper()
	signal(processes(t, s.dir)[:1], stop) // first, so that it starts no child that the next list lacks
	stopped := processes(t, s.dir)
	signal(stopped, stop)
	resume = func() { signal(stopped, proceed) }
	t.Cleanup(resume)
	return resume
}

// processes returns the process IDs of the server in dir, the first process before its children.
func processes(t testing.TB, dir string) []int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid")) //nolint:gosec // the test's own server
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pids := []int{number(t, first)}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("only /proc shows the children of a process")
	}
	for _, name := range stats {
		stat, _ := os.ReadFile(name) //nolint:gosec // of /proc; fails if the process has ended
		// proc_pid_stat(5): the program's name in parentheses, the state, the parent's process ID.
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		if fields := bytes.Fields(rest); len(fields) > 1 && string(fields[1]) == first {
			pids = append(pids, number(t, filepath.Base(filepath.Dir(name))))
		}
	}
	return pids
}

func number(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func signal(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Signal(s) // fails only if the process has ended
		}
	}
}
