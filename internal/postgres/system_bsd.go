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

// locale sorts by code point. Not all of these systems have a C.UTF-8.
const locale = "C"

// errRoot is the error of a start as root. On these systems the server's user cannot open a data
// directory below a directory that is closed to it.
var errRoot = errors.New("PostgreSQL cannot run as root; run this as an ordinary user, " +
	"or set the URL of a database that you run yourself")

// enter sets the data directory of cmd.
func (s *server) enter(cmd *exec.Cmd, data string) error {
	if s.account != nil {
		return errRoot
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(cmd.Env, "PGDATA="+data)
	return nil
}

// evict ends a server that a killed process left. These systems do not notify a child of its
// parent's death.
func (s *server) evict(ctx context.Context, data, _ string, logger *slog.Logger) error {
	if _, err := os.Stat(filepath.Join(data, pidFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	logger.Warn("stopping a PostgreSQL server whose parent process has ended", "dir", filepath.Dir(data))
	if err := s.run(ctx, "pg_ctl", data, "", "stop", "--mode", "fast", "--wait"); err != nil {
		logger.Warn("no PostgreSQL server to stop", "error", err)
	}
	return nil
}
