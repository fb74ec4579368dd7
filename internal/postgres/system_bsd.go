//go:build unix && !linux

package postgres

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// locale sorts by code point. These systems do not all have a C.UTF-8.
const locale = "C"

// errRoot is where a start as root ends: on these systems the server's user has no way to the data below a
// directory that is closed to it.
var errRoot = errors.New("PostgreSQL does not run as root; run this as an ordinary user, or give the URL of a database that you run yourself")

// enter makes cmd work on a data directory.
func (s *server) enter(cmd *exec.Cmd, data string) error {
	if s.account != nil {
		return errRoot
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(cmd.Env, "PGDATA="+data)
	return nil
}

// evict ends a server that a killed process left behind. These systems do not tell a child of its parent's death.
func (s *server) evict(ctx context.Context, data, _ string, logger *slog.Logger) error {
	if _, err := os.Stat(filepath.Join(data, pidFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	logger.Warn("stopping the PostgreSQL of a process that is gone", "dir", filepath.Dir(data))
	if err := s.run(ctx, "pg_ctl", data, "", "stop", "--mode", "fast", "--wait"); err != nil {
		logger.Warn("there was none to stop", "error", err)
	}
	return nil
}
