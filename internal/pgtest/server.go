package pgtest

import (
	"context"
	"testing"

	"github.com/musterhq/muster/internal/postgres"
)

// Server is a server of a single test, which may stop, crash and restart it. It runs with the
// settings of production.
type Server struct {
	dir     string
	cluster *postgres.Cluster
}

// Cluster starts a server with an empty database and stops it at the end of the test. If PostgreSQL
// is not installed, Cluster skips the test, or fails it under CI=true.
func Cluster(t testing.TB) *Server {
	t.Helper()
	s := &Server{dir: t.TempDir()}
	s.Start(t)
	t.Cleanup(func() { _ = s.cluster.Stop(context.Background()) }) // the test may have stopped it
	return s
}

// URL returns the server's URL. A restart does not change it.
func (s *Server) URL() string { return s.cluster.URL() }

// Start starts the server again after Stop or Crash.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	cluster, err := postgres.Start(context.Background(), postgres.Options{Dir: s.dir})
	check(t, err)
	s.cluster = cluster
}

// Stop stops the server and closes its sessions.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.cluster.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// Crash ends the server without a checkpoint, as a power loss would, so that the next Start must
// recover.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // do not wait for an orderly shutdown
	_ = s.cluster.Stop(ctx)
}

// Restart calls Stop and Start.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}
