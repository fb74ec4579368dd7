package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newestWithoutChecksums is the last major version whose initdb turns data checksums off by
// default.
const newestWithoutChecksums = 17

// initialize makes the data directory with its database if it does not exist. It works in another
// directory and renames it, so that an interrupted initialization is never taken for a cluster.
func (c *Cluster) initialize(ctx context.Context) error {
	if _, err := os.Stat(c.data()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.logger.Info("creating a PostgreSQL cluster", "version", c.server.version, "dir", c.dir)
	fresh := c.data() + ".new"
	if err := c.server.account.makeDir(fresh); err != nil {
		return err
	}
	if err := c.server.initdb(ctx, fresh, c.overrides["fsync"] != "off"); err != nil {
		return fmt.Errorf("create a cluster: %w", err)
	}
	return os.Rename(fresh, c.data())
}

// initdb fills an empty directory. It sets no password: only users who can read the data directory
// can enter the socket's directory, so a password would protect nothing. Checksums stay off,
// because with them the first read of a page after a write may write WAL, and an unchanged check-in
// must write none.
func (s *server) initdb(ctx context.Context, data string, sync bool) error {
	args := []string{
		"--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", locale, "--no-instructions",
	}
	if s.major > newestWithoutChecksums {
		args = append(args, "--no-data-checksums")
	}
	single := []string{"--single"}
	if !sync {
		args = append(args, "--no-sync")
		single = append(single, "-F")
	}
	if err := s.run(ctx, "initdb", data, "", args...); err != nil {
		return err
	}
	// A server in single-user mode reads one statement per line.
	statements := "CREATE ROLE " + Database + " LOGIN\nCREATE DATABASE " + Database + " OWNER " + Database + "\n"
	return s.run(ctx, "postgres", data, statements, append(single, "postgres")...)
}

// walCompression returns the best compression of full pages in the WAL that this server supports.
func (s *server) walCompression(ctx context.Context, data string) string {
	const best = "lz4"
	if err := s.run(ctx, "postgres", data, "", "-C", "wal_compression", "-c", "wal_compression="+best); err != nil {
		return "on"
	}
	return best
}

// makeSocketDir makes the directory of the server's socket, which only the server's user may enter.
// It is not in the data directory because a socket's path has at most 107 bytes (unix(7)), and
// because the server's user may not be able to reach the data directory by its path.
func makeSocketDir(name string, owner *account) (string, error) {
	var failures []error
	for _, parent := range owner.runtimeDirs() {
		dir := filepath.Join(parent, name)
		if len(dir) > maxSocketDir {
			failures = append(failures, fmt.Errorf("%s: too long for the path of a socket", dir))
			continue
		}
		err := owner.makeDir(dir)
		if err == nil {
			return dir, nil
		}
		failures = append(failures, err)
	}
	return "", fmt.Errorf("make a directory for the socket: %w", errors.Join(failures...))
}

// maxSocketDir leaves room for "/.s.PGSQL.5432" in the 103 bytes that macOS allows, the smallest
// limit of all systems.
const maxSocketDir = 103 - len("/.s.PGSQL.5432")
