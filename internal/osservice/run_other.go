//go:build !windows

package osservice

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"
)

// Run runs the program until ctx ends, which a termination signal must cause: the service managers
// of these systems stop a service by it.
func Run(ctx context.Context, _ string, program func(context.Context, *slog.Logger) error) error {
	return program(ctx, newLogger(os.Stderr, isJournal(os.Stderr)))
}

// isJournal reports whether the file is the connection to journald that JOURNAL_STREAM names. The
// variable alone is no proof: a program started from a service inherits it.
func isJournal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
