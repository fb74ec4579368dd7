package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/musterhq/muster/api"
	"github.com/musterhq/muster/collector/rpc"
	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/postgres"
	"github.com/musterhq/muster/internal/store"
)

type serveCommand struct {
	serveFlags
}

// serveFlags configure a collector.
type serveFlags struct {
	HTTPAddr        string        `env:"MUSTER_HTTP_ADDR" default:"127.0.0.1:8080" help:"Listen address of the REST API." name:"http-addr"`
	GRPCAddr        string        `env:"MUSTER_GRPC_ADDR" default:"127.0.0.1:8443" help:"Listen address for agents." name:"grpc-addr"`
	MetricsAddr     string        `env:"MUSTER_METRICS_ADDR" default:"127.0.0.1:9464" help:"Listen address of /metrics; keep it on the loopback. Empty: off."`
	DataDir         string        `env:"MUSTER_DATA_DIR" default:"/var/lib/muster-collector" help:"Directory for keys, the admin's token and the private database." type:"path"`
	DatabaseURL     string        `env:"MUSTER_DATABASE_URL" help:"URL of a PostgreSQL (15 to 18), as postgres://user:password@host/database. Default: the collector runs a private one." name:"database-url"`
	MasterKeyFile   string        `env:"MUSTER_MASTER_KEY_FILE" help:"File with the key (32 bytes, hex) that encrypts the agents' CA in the database. All collectors of a database need the same key. Default: master.key in the data directory, created at the first start." type:"path"`
	AgentAddr       string        `env:"MUSTER_AGENT_ADDR" help:"The host:port that agents connect to. Default: the gRPC address." name:"agent-addr"`
	CheckInInterval time.Duration `env:"MUSTER_CHECK_IN_INTERVAL" default:"15m" help:"How often each agent checks in, at most 15m."`
	NewItemsPerDay  int           `env:"MUSTER_NEW_ITEMS_PER_DAY" default:"200000" help:"How many items, such as a package in a version, each agent may add to the catalog in a day. More are rejected, and the agent is logged."`
	MinFree         byteSize      `env:"MUSTER_MIN_FREE" default:"1GB" help:"Accept no inventories while the disk of the private database has less free space, e.g. 500MB or 2GB. 0: off."`

	REST restFlags `embed:"" prefix:"http-"`
	GLPI glpiFlags `embed:"" prefix:"glpi-"`
}

// Help implements kong.HelpProvider.
func (serveCommand) Help() string {
	return `Examples:
  muster-collector serve --data-dir ./var
  muster-collector serve --http-addr 0.0.0.0:8080 --http-tls --grpc-addr 0.0.0.0:8443 \
      --database-url postgres://muster:secret@db.example/muster
  muster-collector serve --glpi-addr 0.0.0.0:8444 --agent-addr collector.example:8443`
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	running, err := start(ctx, c.serveFlags, logger)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	addresses := []any{
		"api", running.apiURL(), "agents", running.grpcAddr, "admin_token", running.tokenFile,
	}
	if running.glpiAddr != "" {
		addresses = append(addresses, "glpi", "https://"+running.glpiAddr)
	}
	logger.Info("ready", addresses...)
	return running.wait(ctx)
}

// unlessStopped drops an error that the end of ctx caused.
func unlessStopped(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// Time limits.
const (
	drainTime  = 20 * time.Second // for calls in progress, at the end
	databaseUp = 2 * time.Minute  // for the private database to start, recovery included
)

// collector is a running collector.
type collector struct {
	flags     serveFlags
	logger    *slog.Logger
	listeners *listeners
	cluster   *postgres.Cluster // nil: the operator's database
	store     *store.Store
	disk      *disk
	rpc       *rpc.Server
	http      []*http.Server
	loops     sync.WaitGroup
	stopLoops context.CancelFunc
	failed    chan error
	draining  atomic.Bool

	httpAddr, grpcAddr, tokenFile string
	glpiAddr                      string // "": off
}

// start starts a collector, the steps that fail fast first. ctx limits the start only.
func start(ctx context.Context, flags serveFlags, logger *slog.Logger) (_ *collector, err error) {
	if err := flags.REST.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(flags.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	c := &collector{flags: flags, logger: logger, failed: make(chan error, 4)}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.listeners, err = listen(ctx, flags); err != nil {
		return nil, err
	}
	c.httpAddr, c.grpcAddr = c.listeners.http.Addr().String(), c.listeners.grpc.Addr().String()
	if err := c.openStore(ctx); err != nil {
		return nil, err
	}
	authority, err := openAuthority(ctx, c.store, flags)
	if err != nil {
		return nil, err
	}
	if c.tokenFile, err = adminToken(ctx, c.store, flags.DataDir); err != nil {
		return nil, err
	}
	return c, c.serve(authority)
}

// openStore connects to the operator's database or starts the private one.
func (c *collector) openStore(ctx context.Context) (err error) {
	url := c.flags.DatabaseURL
	if url == "" {
		ctx, cancel := context.WithTimeout(ctx, databaseUp)
		defer cancel()
		options := postgres.Options{Dir: filepath.Join(c.flags.DataDir, "postgres"), Logger: c.logger}
		c.cluster, err = postgres.Start(ctx, options)
		if err != nil {
			return err
		}
		url = c.cluster.URL()
	}
	if err := store.Migrate(ctx, url); err != nil {
		return err
	}
	c.store, err = store.Open(ctx, url, store.Options{})
	return err
}

// serve starts the services and the background loops.
func (c *collector) serve(authority *pki.Authority) error {
	ctx, stop := context.WithCancel(context.Background())
	c.stopLoops = stop
	c.watchDatabase(ctx)
	ingester, err := ingest.New(c.store, ingest.Options{
		Logger: c.logger, NewItemsPerDay: c.flags.NewItemsPerDay, Accepting: c.accepting,
	})
	if err != nil {
		return err
	}
	names, addresses := hostsOf(c.agentAddr())
	c.rpc, err = rpc.New(rpc.Options{
		Store: c.store, Ingester: ingester, Authority: authority, Logger: c.logger,
		Names: names, Addresses: addresses, CheckInInterval: c.flags.CheckInInterval,
		Connections: rpc.DefaultConnections(c.listeners.agents),
		Outage:      c.store.Outage, Unavailable: store.Unavailable,
	})
	if err != nil {
		return err
	}
	restTLS, err := c.restTLS(authority)
	if err != nil {
		return err
	}
	c.loops.Go(func() { ingester.Run(ctx) })
	c.loops.Go(func() { c.rpc.Run(ctx) })
	c.loops.Go(func() { every(ctx, foldInterval, c.foldCounts) })
	c.loops.Go(func() { every(ctx, lockInterval, c.expireLocks) })
	c.loops.Go(func() { every(ctx, baseInterval, c.collectBases) })

	rest := c.listeners.http
	if restTLS != nil {
		rest = tls.NewListener(rest, restTLS)
	}
	c.serveHTTP(rest, api.New(c.apiOptions(authority, ingester)))
	if c.listeners.metrics != nil {
		c.serveHTTP(c.listeners.metrics, c.metricsHandler())
	}
	if c.listeners.glpi != nil {
		if err := c.serveGLPI(authority, ingester); err != nil {
			return err
		}
	}
	go func() { c.failed <- c.rpc.Serve(c.listeners.grpc) }()
	return nil
}

// watchDatabase starts the loops that watch the database, restart a private one and watch its disk.
func (c *collector) watchDatabase(ctx context.Context) {
	c.loops.Go(func() { c.store.Watch(ctx) })
	c.disk = &disk{least: c.flags.MinFree, logger: c.logger}
	if c.cluster == nil {
		return
	}
	c.loops.Go(func() { c.cluster.Watch(ctx) })
	c.disk.free = c.cluster.Free
	c.disk.look()
	c.loops.Go(func() { c.disk.watch(ctx) })
}

// apiURL returns the URL of the REST API.
func (c *collector) apiURL() string {
	if c.flags.REST.Cert != "" || c.flags.REST.TLS {
		return "https://" + c.httpAddr
	}
	return "http://" + c.httpAddr
}

// The limits of an HTTP connection. There is no write timeout, because an export may take long.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

func (c *collector) serveHTTP(listener net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(c.logger.Handler(), slog.LevelWarn),
	}
	c.http = append(c.http, server)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.failed <- err
		}
	}()
}

const (
	// foldInterval is how often the collector checks whether pending counts have to be folded.
	foldInterval = 2 * time.Second
	// lockInterval is how long an expired lock may remain in effect.
	lockInterval = 10 * time.Second
	// baseInterval is how often bases of item sets that nothing refers to are retired or deleted.
	baseInterval = time.Hour
)

// every calls do at each interval until ctx ends.
func every(ctx context.Context, interval time.Duration, do func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do(ctx)
		}
	}
}

func (c *collector) foldCounts(ctx context.Context) {
	if _, err := c.store.FoldCounts(ctx, false); err != nil && ctx.Err() == nil {
		c.logger.Warn("cannot fold counts", "error", err)
	}
}

func (c *collector) collectBases(ctx context.Context) {
	if _, err := c.store.CollectBases(ctx); err != nil && ctx.Err() == nil {
		c.logger.Warn("cannot delete unused bases of item sets", "error", err)
	}
}

func (c *collector) expireLocks(ctx context.Context) {
	expired, err := c.store.ExpireLocks(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		c.logger.Warn("cannot release expired locks", "error", err)
	case expired > 0:
		c.logger.Info("released expired locks", "locks", expired)
	}
}

// wait returns when ctx ends or a service fails, after stopping everything.
func (c *collector) wait(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
		c.logger.Info("stopping")
	case err = <-c.failed:
	}
	c.close()
	return err
}

// close stops everything in reverse order.
func (c *collector) close() {
	c.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if c.rpc != nil {
		c.rpc.Stop(drainTime)
	}
	for _, server := range c.http {
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}
	if c.stopLoops != nil {
		c.stopLoops()
		c.loops.Wait()
	}
	c.listeners.close()
	if c.store != nil {
		c.store.Close()
	}
	if c.cluster != nil {
		if err := c.cluster.Stop(ctx); err != nil {
			c.logger.Warn("cannot stop PostgreSQL", "error", err)
		}
	}
}
