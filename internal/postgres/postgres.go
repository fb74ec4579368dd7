// Package postgres runs a private PostgreSQL server: it finds the server's programs, creates a
// cluster at the first start, and ends the server with its own process. The server listens on no
// network. The package never installs anything, never upgrades a cluster, and never sends SQL to a
// running server; package store does that. Start reading at Start.
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
	"sync/atomic"
)

// Database is the name of the cluster's database and of the role that owns it. The role is no
// superuser.
const Database = "muster"

// superuser is the cluster's first role, which Muster uses only to make the other one.
const superuser = "postgres"

// Options configure a cluster.
type Options struct {
	// Dir is the directory of the cluster: data directory, log and lock. Start creates it if it
	// does not exist.
	Dir string
	// Logger receives what an operator should know; nil discards it.
	Logger *slog.Logger
	// Settings are server settings (postgresql.conf) that override those of this package.
	Settings map[string]string
}

// Cluster is a running server. The caller of Start stops it. If the process dies first, the server
// stops by itself (on Linux) or is stopped by the next Start (elsewhere).
type Cluster struct {
	dir     string
	sockets string
	server  *server
	log     *logFile
	lock    io.Closer
	logger  *slog.Logger
	process *process

	overrides map[string]string     // the settings of Options
	failure   atomic.Pointer[error] // see Err
}

// Start starts the cluster in o.Dir and returns when it accepts connections. It creates the cluster
// if there is none, and first stops a server that a killed process left in o.Dir. ctx bounds the
// start, not the life of the cluster.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := makeDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c := &Cluster{dir: dir, logger: o.Logger, overrides: o.Settings}
	if err := c.start(ctx); err != nil {
		c.release()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.logger.Info("PostgreSQL started", "version", c.server.version, "dir", dir, "pid", c.process.pid())
	return c, nil
}

// makeDir returns the directory's canonical path, so that the cluster's name is always the same.
func makeDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("the directory is not set")
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

func (c *Cluster) start(ctx context.Context) (err error) {
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
	if err := c.initialize(ctx); err != nil {
		return err
	}
	if c.sockets, err = makeSocketDir(c.name(), c.server.account); err != nil {
		return err
	}
	return c.launch(ctx)
}

// choose returns the server version that created the data directory, or the newest version if there
// is no data directory.
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
func (c *Cluster) launch(ctx context.Context) error {
	set := settings(totalMemory())
	set["wal_compression"] = c.server.walCompression(ctx, c.data())
	maps.Copy(set, c.overrides)
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
		_ = p.stop(context.WithoutCancel(ctx)) // the error to return is why it was not ready
		return fmt.Errorf("%w; the end of %s:\n%s", err, c.log.path, c.log.tail())
	}
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// name identifies this cluster on the machine. The titles of the server's processes contain it.
func (c *Cluster) name() string {
	sum := sha256.Sum256([]byte(c.dir))
	return fmt.Sprintf("muster-%x", sum[:6])
}

// URL returns the cluster's URL, in the form that libpq and pgx read. It has no password: the
// permissions of the socket admit only the server's user and root.
func (c *Cluster) URL() string { return c.urlAs(Database) }

// AdminURL is URL for the superuser. Only tests and measurements need it.
func (c *Cluster) AdminURL() string { return c.urlAs(superuser) }

func (c *Cluster) urlAs(role string) string {
	query := url.Values{"host": {c.sockets}, "user": {role}}
	return (&url.URL{Scheme: "postgres", Path: "/" + Database, RawQuery: query.Encode()}).String()
}

// Free returns the free space of the cluster's disk for its user, in bytes.
func (c *Cluster) Free() (int64, error) {
	free, err := freeSpace(c.dir)
	if err != nil {
		return 0, fmt.Errorf("read free space of %s: %w", c.dir, err)
	}
	return free, nil
}

// Done returns a channel that is closed when the server has ended.
func (c *Cluster) Done() <-chan struct{} { return c.process.done }

// Stop ends the server and closes its sessions. Committed data is on disk. If ctx ends first, or
// after a minute, Stop ends the server without a checkpoint, so that the next start must recover.
// Calling Stop again does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	err := c.process.stop(ctx)
	c.release()
	if err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

// release frees the cluster's resources other than the server. Calling it again does nothing.
func (c *Cluster) release() {
	if c.sockets != "" {
		_ = os.RemoveAll(c.sockets) // the next start removes what is left
	}
	if c.log != nil {
		_ = c.log.Close()
	}
	if c.lock != nil {
		_ = c.lock.Close()
	}
}
