package postgres

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os/exec"
)

const locale = "C"

var errWindows = errors.New("no private PostgreSQL server on Windows; " +
	"set the URL of a database that you run yourself")

func lockFile(string) (io.Closer, error) { return nil, errWindows }

func ownerOf(fs.FileInfo) *account { return nil }

func (s *server) enter(*exec.Cmd, string) error { return errWindows }

func (s *server) evict(context.Context, string, string, *slog.Logger) error { return errWindows }

func freeSpace(string) (int64, error) { return 0, errWindows }
