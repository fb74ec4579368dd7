package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newestWithoutChecksums is the last major version whose initdb leaves data checksums out unless told otherwise.
const newestWithoutChecksums = 17

// initialize makes the data directory with its database, if there is none. It works on a directory beside it, so
// that one that was cut off is never taken for a cluster.
func (c *Cluster) initialize(ctx context.Context, overrides map[string]string) error {
	if _, err := os.Stat(c.data()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.logger.Info("making a PostgreSQL cluster", "version", c.server.version, "dir", c.dir)
	fresh := c.data() + ".new"
	if err := c.server.account.makeDir(fresh); err != nil {
		return err
	}
	if err := c.server.initdb(ctx, fresh, overrides["fsync"] != "off"); err != nil {
		return fmt.Errorf("make a cluster: %w", err)
	}
	return os.Rename(fresh, c.data())
}

// initdb fills an empty directory. There is nobody to authenticate: the socket's directory lets in only those who
// could read the data directory as well, so that a password would protect nothing. Checksums stay off, because
// with them the first read of a page after a write may cost WAL, and an unchanged check-in must cost none.
func (s *server) initdb(ctx context.Context, data string, sync bool) error {
	args := []string{"--username", Database, "--auth", "trust", "--encoding", "UTF8", "--locale", locale, "--no-instructions"}
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
	return s.run(ctx, "postgres", data, "CREATE DATABASE "+Database+"\n", append(single, "postgres")...)
}

// walCompression is the best way of compressing full pages in the WAL that this server was built with.
func (s *server) walCompression(ctx context.Context, data string) string {
	const best = "lz4"
	if err := s.run(ctx, "postgres", data, "", "-C", "wal_compression", "-c", "wal_compression="+best); err != nil {
		return "on"
	}
	return best
}

// makeSocketDir makes the directory of the server's socket, which only the server's user may enter. It stands
// among the files of the running system, not beside the data: the path of a socket is at most 107 bytes (unix(7)),
// and the data may lie where the server's user cannot go.
func makeSocketDir(name string, owner *account) (string, error) {
	var failures []error
	for _, parent := range owner.runtimeDirs() {
		dir := filepath.Join(parent, name)
		if len(dir) > maxSocketDir {
			failures = append(failures, fmt.Errorf("%s: longer than a socket's path may be", dir))
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

// maxSocketDir leaves room for "/.s.PGSQL.5432" in the 103 bytes of macOS, the shortest of the systems.
const maxSocketDir = 103 - len("/.s.PGSQL.5432")
