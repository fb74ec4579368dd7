// Package rpc is the collector's gRPC service. It authenticates agents, receives their inventories
// and passes them to internal/ingest.
//
// An agent's identity is its certificate's key alone. The package never trusts what an agent
// reports about itself: those are data for identification.
//
// Start with Sync in conversation.go, which serves one agent's stream.
package rpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Store has the methods of the store that the service calls itself.
type Store interface {
	enrollmentStore
	recordStore
	presenceStore
}

// enrollmentStore stores the agents' keys.
type enrollmentStore interface {
	EnrollmentTokenHashes(ctx context.Context) ([][32]byte, error)
	Enroll(ctx context.Context, e inventory.Enrollment) (agentID string, err error)
	Renew(ctx context.Context, key [32]byte, expires, notBefore time.Time) (agentID string, err error)
	Fork(ctx context.Context, from int64, key [32]byte, expires time.Time) (agentID string, err error)
}

// recordStore reads the agents' records.
type recordStore interface {
	Record(ctx context.Context, key [32]byte) (inventory.Record, error)
	RecordByID(ctx context.Context, id int64) (inventory.Record, error)
	SectionStates(ctx context.Context, record int64) (map[string]inventory.SectionState, error)
	AddIncident(ctx context.Context, record int64, incident inventory.Incident) error
	WasAbandoned(ctx context.Context, record int64, tokenHash string) (bool, error)
}

// presenceStore stores the times of check-ins and reads revocations.
type presenceStore interface {
	RevokedSince(ctx context.Context, after time.Time) ([]int64, error)
	Now(ctx context.Context) (time.Time, error)
	FlushPresence(ctx context.Context, seen []inventory.Presence) error
	LastPresence(ctx context.Context, record int64) (inventory.Presence, bool, error)
}

// Ingester applies observations.
type Ingester interface {
	Accepting() error
	Apply(ctx context.Context, obs *ingest.CheckIn) (ingest.Result, error)
	Reconsider(
		ctx context.Context, record inventory.Record, states map[string]inventory.SectionState,
	) (inventory.RecordAssignment, error)
}

// Options are the settings of New. Store, Ingester and Authority are required.
type Options struct {
	Store     Store
	Ingester  Ingester
	Authority *pki.Authority
	Logger    *slog.Logger
	// Names and Addresses go into the server certificate, in addition to the name that agents
	// verify.
	Names     []string
	Addresses []net.IP
	// CheckInInterval is how often an agent checks in; 0 means 15 minutes, which is also the
	// maximum.
	CheckInInterval time.Duration
	// Connections limits the connections; the zero value means DefaultConnections(4096).
	Connections Connections
	// Outage returns an error while the database does not answer; nil: it always answers.
	Outage func() error
	// Unavailable returns an error with CodeUnavailable if err means that the database cannot do the
	// work now, otherwise nil; nil: it always can.
	Unavailable func(err error) *inventory.Error
}

// Validity of certificates. An agent renews at half-life.
const (
	agentLifetime = 7 * 24 * time.Hour
	renewalGrace  = 90 * 24 * time.Hour // how long a known key may renew after its certificate expired
)

// Limits of one connection.
const (
	maxMessage = 1 << 20
	maxHeaders = 16 << 10
	maxStreams = 8
	ioBuffer   = 4 << 10 // small, because many idle streams keep their buffers

	idleTimeout   = 5 * time.Minute // without a stream
	maxAge        = 24 * time.Hour  // then the agent connects anew, and shows its certificate again
	maxAgeGrace   = time.Minute     // for streams
	keepaliveTime = time.Minute
	keepaliveWait = 20 * time.Second
)

const defaultConnections = 4096

// Server is the gRPC service of one collector.
type Server struct {
	inventoryv1.UnimplementedEnrollmentServer
	inventoryv1.UnimplementedInventoryServer

	options  Options
	grpc     *grpc.Server
	decoder  *ingest.Decoder
	live     *streams
	presence *presence
	tokens   *tokens
	renewing *semaphore.Weighted
	rekeys   *limits[int64] // by record
	// incidents, by record, and rejections, by address, limit rows and log lines.
	incidents  *limits[int64]
	rejections *limits[netip.Addr]
	faults     *limits[string] // by method
	checkIns   *limits[int64]  // by record
	budget     *budget
	// first and updates limit the inventories that agents send at the same time.
	first, updates *semaphore.Weighted
	pace           pace
	draining       chan struct{}
	drain          sync.Once
}

// New returns a server; Serve accepts connections.
func New(o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Connections == (Connections{}) {
		o.Connections = DefaultConnections(defaultConnections)
	}
	decoder, err := ingest.NewDecoder()
	if err != nil {
		return nil, err
	}
	config, err := serverTLS(o)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: o, decoder: decoder, live: newStreams(), presence: newPresence(),
		tokens: newTokens(o.Store.EnrollmentTokenHashes), renewing: semaphore.NewWeighted(maxRenewing),
		rekeys:     newLimits[int64](rekeyEvery, rekeyBurst),
		incidents:  newLimits[int64](incidentEvery, incidentBurst),
		rejections: newLimits[netip.Addr](rejectionEvery, rejectionBurst),
		faults:     newLimits[string](faultEvery, faultBurst),
		checkIns:   newLimits[int64](checkInEvery, checkInBurst),
		budget:     newBudget(maxInFlight, agentShare),
		first:      semaphore.NewWeighted(maxFirst), updates: semaphore.NewWeighted(maxUpdates),
		pace: newPace(o.CheckInInterval), draining: make(chan struct{}),
	}
	s.grpc = grpc.NewServer(
		grpc.Creds(newAdmission(credentials.NewTLS(config))),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(connectionTimeout),
		grpc.ReadBufferSize(ioBuffer),
		grpc.WriteBufferSize(ioBuffer),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: keepaliveTime, Timeout: keepaliveWait,
			MaxConnectionIdle: idleTimeout, MaxConnectionAge: maxAge, MaxConnectionAgeGrace: maxAgeGrace,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: 30 * time.Second, PermitWithoutStream: true,
		}),
		grpc.InTapHandle(boundUnary),
		grpc.ChainUnaryInterceptor(s.recoverUnary, s.translateUnary, s.rejectUnary),
		grpc.ChainStreamInterceptor(s.recoverStream, s.translateStream, s.rejectStream),
	)
	inventoryv1.RegisterEnrollmentServer(s.grpc, s)
	inventoryv1.RegisterInventoryServer(s.grpc, s)
	return s, nil
}

// serverTLS verifies agents by the CA and serves a certificate that it issued.
func serverTLS(o Options) (*tls.Config, error) {
	serving, err := o.Authority.Serving(o.Names, o.Addresses, time.Now)
	if err != nil {
		return nil, err
	}
	pool, err := pki.Pool(o.Authority.Certificate())
	if err != nil {
		return nil, fmt.Errorf("trust own authority: %w", err)
	}
	config := pki.ServerTLS(tls.Certificate{}, pool)
	config.Certificates, config.GetCertificate = nil, serving
	return config, nil
}

// Serve serves a listener until Stop.
func (s *Server) Serve(listener net.Listener) error {
	return s.grpc.Serve(limitConnections(listener, s.options.Connections))
}

// Run runs the background loops until ctx ends: it flushes the times of check-ins and ends the
// streams of revoked agents.
func (s *Server) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { s.flushPresence(ctx) })
	loops.Go(func() { s.cutRevoked(ctx) })
	loops.Wait()
}

// Stop waits up to grace for calls in progress and ends the rest. It disconnects idle agents at
// once; they reconnect to another collector, or to this one later.
func (s *Server) Stop(grace time.Duration) {
	s.drain.Do(func() { close(s.draining) })
	stopped := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(grace):
		s.grpc.Stop()
		<-stopped
	}
}
