package pgtest

import (
	"context"
	"testing"

	"github.com/musterhq/muster/internal/postgres"
)

// Server is a server of one test's own, which may stop, kill and restart it. Its settings are those of production.
type Server struct {
	dir     string
	cluster *postgres.Cluster
}

// Cluster starts a server for the test, with an empty database. It is stopped at the test's end. Where no
// PostgreSQL is installed the test is skipped, but under CI=true it fails.
func Cluster(t testing.TB) *Server {
	t.Helper()
	s := &Server{dir: t.TempDir()}
	s.Start(t)
	t.Cleanup(func() { _ = s.cluster.Stop(context.Background()) }) // the test may have stopped it
	return s
}

// URL is where the server is reached. A restart does not change it.
func (s *Server) URL() string { return s.cluster.URL() }

// Start starts the server again after Stop or Crash.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	cluster, err := postgres.Start(context.Background(), postgres.Options{Dir: s.dir})
	check(t, err)
	s.cluster = cluster
}

// Stop stops the server, cutting off its sessions.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.cluster.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// Crash ends the server as a power cut would: without a checkpoint, so that the next Start must recover.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // no patience for an orderly end
	_ = s.cluster.Stop(ctx)
}

// Restart is Stop and Start.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}
