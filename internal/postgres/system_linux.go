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

// locale sorts by code point, which is the fastest, and knows the letters of every language. It is part of glibc
// since 2.35 and of every Debian before that.
const locale = "C.UTF-8"

// enter makes cmd work on a data directory, as the server's user. That user gets the directory as an open file:
// what lies above it (a home directory, say) need not be open to it.
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

// evict ends a server that a killed process left behind, and removes a pid file that would hold up the next one.
func (s *server) evict(ctx context.Context, data, name string, logger *slog.Logger) error {
	if list := s.left(name); len(list) > 0 {
		logger.Warn("stopping the PostgreSQL of a process that is gone", "dir", filepath.Dir(data), "pid", list[0].pid)
		if err := s.endLeft(ctx, name); err != nil {
			return fmt.Errorf("stop the server that runs in %s already: %w", filepath.Dir(data), err)
		}
	}
	return removeStalePid(filepath.Join(data, pidFile))
}

func (s *server) endLeft(ctx context.Context, name string) error {
	patient, cancel := context.WithTimeout(ctx, stopDeadline)
	defer cancel()
	if s.signalLeft(patient, name, syscall.SIGINT) == nil {
		return nil
	}
	hasty, cancel := context.WithTimeout(ctx, quitDeadline)
	defer cancel()
	return s.signalLeft(hasty, name, syscall.SIGQUIT)
}

// signalLeft signals the postmaster and waits for the end of all that it had started.
func (s *server) signalLeft(ctx context.Context, name string, signal syscall.Signal) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	signaled := false
	for list := s.left(name); len(list) > 0; list = s.left(name) {
		for _, r := range list {
			if r.postmaster && !signaled {
				_ = syscall.Kill(r.pid, signal) // one that is gone by now is what we want
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

// left lists the live processes of the cluster of that name. A zombie has no command line, so that it is not
// among them, which kill(2) would not tell.
func (s *server) left(name string) []remnant {
	entries, _ := os.ReadDir("/proc") // without /proc there is nothing to be found out
	var list []remnant
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		title, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")) // empty if it is gone by now
		postmaster := strings.Contains(string(title), "\x00cluster_name="+name+"\x00")
		if (postmaster || strings.HasPrefix(string(title), "postgres: "+name+": ")) && s.owns(entry) {
			list = append(list, remnant{pid: pid, postmaster: postmaster})
		}
	}
	return list
}

// owns reports whether a process is our user's. Anybody may give a process any title.
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

// removeStalePid removes a pid file whose process is a zombie or another program by now: the server asks kill(2)
// whether its predecessor lives, and would wait for that one. All other cases it judges better than we could.
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
		return fmt.Errorf("a PostgreSQL that was started by other means (process %s) runs on %s; stop it first", pid, filepath.Dir(name))
	}
	return os.Remove(name)
}
