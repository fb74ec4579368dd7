package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// locale sorts by code point, which is the fastest, and classifies the letters of every language.
// It is part of glibc since 2.35 and of every earlier Debian.
const locale = "C.UTF-8"

// enter sets the data directory and the user of cmd. It passes the directory as an open file,
// because the server's user may not be able to enter the directories above it, such as a home
// directory.
func (s *server) enter(cmd *exec.Cmd, data string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if s.account != nil {
		//nolint:gosec // the kernel's own ids, which are 32 bits
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.account.uid), Gid: uint32(s.account.gid)}
		dir, err := os.Open(data) //nolint:gosec // our own directory
		if err != nil {
			return err
		}
		cmd.ExtraFiles = []*os.File{dir}
		data = "/proc/self/fd/3" // the first of the ExtraFiles
	}
	cmd.Env = append(cmd.Env, "PGDATA="+data)
	return nil
}

// evict ends a server that a killed process left, and removes a pid file that would block the next
// server.
func (s *server) evict(ctx context.Context, data, name string, logger *slog.Logger) error {
	if list := s.remnants(name); len(list) > 0 {
		logger.Warn("stopping a PostgreSQL server whose parent process has ended",
			"dir", filepath.Dir(data), "pid", list[0].pid)
		if err := s.endRemnants(ctx, name); err != nil {
			return fmt.Errorf("stop the server that already runs in %s: %w", filepath.Dir(data), err)
		}
	}
	return removeStalePid(filepath.Join(data, pidFile))
}

func (s *server) endRemnants(ctx context.Context, name string) error {
	graceful, cancel := context.WithTimeout(ctx, stopDeadline)
	defer cancel()
	if s.signalRemnants(graceful, name, syscall.SIGINT) == nil {
		return nil
	}
	immediate, cancel := context.WithTimeout(ctx, quitDeadline)
	defer cancel()
	return s.signalRemnants(immediate, name, syscall.SIGQUIT)
}

// signalRemnants signals the postmaster and waits for the end of it and its children.
func (s *server) signalRemnants(ctx context.Context, name string, signal syscall.Signal) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	signaled := false
	for list := s.remnants(name); len(list) > 0; list = s.remnants(name) {
		for _, r := range list {
			if r.postmaster && !signaled {
				_ = syscall.Kill(r.pid, signal) // fails only if the process has ended
			}
		}
		signaled = true
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// remnant is a process of an earlier server of this cluster.
type remnant struct {
	pid        int
	postmaster bool // the parent of the others
}

// remnants returns the running processes of the cluster with that name. A zombie has no command
// line and is left out; kill(2) would not distinguish it.
func (s *server) remnants(name string) []remnant {
	entries, _ := os.ReadDir("/proc") // without /proc no process can be found
	var list []remnant
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		title, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")) // empty if the process has ended
		postmaster := strings.Contains(string(title), "\x00cluster_name="+name+"\x00")
		if (postmaster || strings.HasPrefix(string(title), "postgres: "+name+": ")) && s.owns(entry) {
			list = append(list, remnant{pid: pid, postmaster: postmaster})
		}
	}
	return list
}

// owns reports whether a process belongs to the server's user. Any user may set any process title.
func (s *server) owns(process fs.DirEntry) bool {
	info, err := process.Info()
	if err != nil {
		return false
	}
	uid := os.Geteuid()
	if s.account != nil {
		uid = s.account.uid
	}
	return ownerOf(info).uid == uid
}

// removeStalePid removes a pid file whose process ID now belongs to a zombie or another program.
// The server checks with kill(2) whether its predecessor lives and would refuse to start. The
// server handles all other cases itself.
func removeStalePid(name string) error {
	text, err := os.ReadFile(name) //nolint:gosec // a file of our own directory
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, _, _ := strings.Cut(string(text), "\n")
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat")) //nolint:gosec // of a file of our own directory
	if err != nil {
		return nil //nolint:nilerr // no such process, which the server finds out as well
	}
	// proc_pid_stat(5): the program's name in parentheses, then the state.
	program, state, _ := strings.Cut(string(stat), ") ")
	if strings.HasSuffix(program, "(postgres") && !strings.HasPrefix(state, "Z") {
		return fmt.Errorf("a PostgreSQL server that Muster did not start (process %s) runs in %s; stop it first",
			pid, filepath.Dir(name))
	}
	return os.Remove(name)
}
