// Package postgres runs a private PostgreSQL for people who bring none: it finds the server's programs, makes a
// cluster at the first start, and ties the server's life to that of its own process. The server listens on no
// network. The package never installs anything, never upgrades a cluster, and never speaks SQL to a running
// server; that is the store's.
package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
)

// Database is the name of the cluster's database and of its only role.
const Database = "muster"

// Options say where a cluster lives and how it runs.
type Options struct {
	// Dir holds everything of the cluster that lasts: the data directory, the log, the lock. It is made where
	// it does not exist.
	Dir string
	// Logger is told what an operator would want to know; nil tells nobody.
	Logger *slog.Logger
	// Settings are settings of the server (its postgresql.conf) that go before those of this package.
	Settings map[string]string
}

// Cluster is a running server. Whoever started it stops it; if the process dies before, the server stops by
// itself (on Linux) or is stopped by the next Start (elsewhere).
type Cluster struct {
	dir     string
	sockets string
	server  *server
	log     *logFile
	lock    io.Closer
	logger  *slog.Logger
	process *process
}

// Start starts the cluster of o.Dir, making it first if there is none, and returns when it accepts connections.
// A server that a killed process left behind in o.Dir is stopped before. ctx bounds the start, not the cluster.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := makeDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c := &Cluster{dir: dir, logger: o.Logger}
	if err := c.start(ctx, o.Settings); err != nil {
		c.release()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.logger.Info("PostgreSQL started", "version", c.server.version, "dir", dir, "pid", c.process.pid())
	return c, nil
}

// makeDir gives the directory its one name, so that the cluster's name is always the same.
func makeDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no directory given")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

func (c *Cluster) start(ctx context.Context, overrides map[string]string) (err error) {
	if c.lock, err = lockFile(filepath.Join(c.dir, "lock")); err != nil {
		return err
	}
	if c.log, err = openLog(filepath.Join(c.dir, "postgres.log")); err != nil {
		return err
	}
	if c.server, err = c.choose(ctx); err != nil {
		return err
	}
	if err := c.server.evict(ctx, c.data(), c.name(), c.logger); err != nil {
		return err
	}
	if err := c.initialize(ctx, overrides); err != nil {
		return err
	}
	if c.sockets, err = makeSocketDir(c.name(), c.server.account); err != nil {
		return err
	}
	return c.launch(ctx, overrides)
}

// choose picks the server that made the data directory, or the newest where there is none yet.
func (c *Cluster) choose(ctx context.Context) (*server, error) {
	major, err := dataMajor(c.data())
	if err != nil {
		return nil, err
	}
	account, err := accountFor(c.data())
	if err != nil {
		return nil, err
	}
	s, err := findServer(ctx, major)
	if err != nil {
		return nil, err
	}
	s.account = account
	return s, nil
}

// launch starts the server and waits until it is ready.
func (c *Cluster) launch(ctx context.Context, overrides map[string]string) error {
	set := settings(totalMemory())
	set["wal_compression"] = c.server.walCompression(ctx, c.data())
	maps.Copy(set, overrides)
	set["cluster_name"] = c.name()
	set["listen_addresses"] = ""
	set["unix_socket_directories"] = c.sockets
	set["unix_socket_permissions"] = "0700"

	cmd, err := c.server.command("postgres", c.data(), flags(set)...)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = c.log, c.log
	p, err := begin(cmd)
	if err != nil {
		return err
	}
	c.process = p
	if err := p.awaitReady(ctx, filepath.Join(c.data(), pidFile)); err != nil {
		_ = p.stop(context.WithoutCancel(ctx)) // the error that counts is why it did not get ready
		return fmt.Errorf("%w; the end of %s:\n%s", err, c.log.path, c.log.tail())
	}
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// name tells this cluster from every other on the machine. The server carries it in the titles of its processes.
func (c *Cluster) name() string {
	sum := sha256.Sum256([]byte(c.dir))
	return fmt.Sprintf("muster-%x", sum[:6])
}

// URL is where the cluster is reached, in the form that libpq and pgx read. There is no password: the kernel lets
// nobody but the server's own user and root through to the socket.
func (c *Cluster) URL() string {
	query := url.Values{"host": {c.sockets}, "user": {Database}}
	return (&url.URL{Scheme: "postgres", Path: "/" + Database, RawQuery: query.Encode()}).String()
}

// Done is closed when the server has ended, by Stop or of itself.
func (c *Cluster) Done() <-chan struct{} { return c.process.done }

// Stop ends the server: sessions are cut off, what was committed is on disk. When ctx ends before the server
// does, or after a minute, it is stopped without its checkpoint, which costs the next start a recovery. Calling
// Stop again does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	err := c.process.stop(ctx)
	c.release()
	if err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

// release gives back what the cluster holds beside its server. It is safe to call again.
func (c *Cluster) release() {
	if c.sockets != "" {
		_ = os.RemoveAll(c.sockets) // what is left of it, the next start removes
	}
	if c.log != nil {
		_ = c.log.Close()
	}
	if c.lock != nil {
		_ = c.lock.Close()
	}
}
