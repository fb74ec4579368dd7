package rpc

import (
	"context"
	"errors"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Enroll implements the Enrollment service.
func (s *Server) Enroll(ctx context.Context, req *inventoryv1.EnrollRequest) (*inventoryv1.EnrollResponse, error) {
	from := callerAddress(ctx)
	if s.failures.tooMany(from) {
		return nil, status.Error(
			codes.ResourceExhausted, "too many failed enrollments from this address; wait a minute",
		)
	}
	key, err := pki.ParseCSR(req.GetCsr())
	if err != nil {
		s.failures.note(from)
		return nil, invalid("certificate request: " + err.Error())
	}
	now := time.Now()
	expires := now.Add(agentLifetime)
	agentID, err := s.options.Store.Enroll(ctx, inventory.Enrollment{
		Token: pki.HashToken(req.GetToken()), Key: pki.KeyID(key), From: from, Expires: expires,
		SerialNumber: ingest.Text(req.GetSerialNumber()), Hostname: ingest.Text(req.GetHostname()),
	})
	if err != nil {
		s.noteFailure(from, err)
		return nil, err
	}
	certificate, err := s.options.Authority.IssueAgent(key, agentID, now, agentLifetime)
	if err != nil {
		return nil, err
	}
	s.options.Logger.Info("agent enrolled", "agent", agentID, "from", from)
	return &inventoryv1.EnrollResponse{Certificate: certificate, Authorities: s.authorities(), AgentId: agentID}, nil
}

func (s *Server) authorities() [][]byte { return [][]byte{s.options.Authority.Certificate()} }

func invalid(message string) error {
	return &inventory.Error{Code: inventory.CodeInvalid, Message: message}
}

func (s *Server) noteFailure(from netip.Addr, err error) {
	if e, ok := errors.AsType[*inventory.Error](err); ok {
		s.failures.note(from)
		s.options.Logger.Warn("enrollment rejected", "from", from, "reason", e.Message)
	}
}

// Challenge implements the Enrollment service. It stores nothing: every collector with the same CA
// can verify the nonce.
func (s *Server) Challenge(context.Context, *inventoryv1.ChallengeRequest) (*inventoryv1.ChallengeResponse, error) {
	return &inventoryv1.ChallengeResponse{Nonce: s.options.Authority.Nonce(time.Now())}, nil
}

// Renew implements the Enrollment service.
func (s *Server) Renew(ctx context.Context, req *inventoryv1.RenewRequest) (*inventoryv1.RenewResponse, error) {
	from, now := callerAddress(ctx), time.Now()
	if s.failures.tooMany(from) {
		return nil, status.Error(codes.ResourceExhausted, "too many failed renewals from this address; wait a minute")
	}
	if err := s.options.Authority.CheckNonce(req.GetNonce(), now); err != nil {
		s.failures.note(from)
		return nil, unauthenticated("nonce: " + err.Error())
	}
	key, err := pki.CheckRenew(req.GetPublicKey(), req.GetNonce(), req.GetSignature())
	if err != nil {
		s.failures.note(from)
		return nil, unauthenticated("signature: " + err.Error())
	}
	agentID, err := s.options.Store.Renew(ctx, pki.KeyID(key), now.Add(agentLifetime), now.Add(-renewalGrace))
	if err != nil {
		s.noteFailure(from, err)
		return nil, err
	}
	certificate, err := s.options.Authority.IssueAgent(key, agentID, now, agentLifetime)
	if err != nil {
		return nil, err
	}
	return &inventoryv1.RenewResponse{Certificate: certificate, Authorities: s.authorities()}, nil
}

// Rekey implements the Inventory service: a clone that the collector found gets its own record, which
// references the previous one.
func (s *Server) Rekey(ctx context.Context, req *inventoryv1.RekeyRequest) (*inventoryv1.RekeyResponse, error) {
	record, err := s.record(ctx)
	if err != nil {
		return nil, err
	}
	key, err := pki.ParseCSR(req.GetCsr())
	if err != nil {
		return nil, invalid("certificate request: " + err.Error())
	}
	if from := callerAddress(ctx); s.failures.tooMany(from) {
		return nil, status.Error(codes.ResourceExhausted, "too many new keys from this address; wait a minute")
	}
	s.failures.note(callerAddress(ctx))
	now := time.Now()
	agentID, err := s.options.Store.Fork(ctx, record.ID, pki.KeyID(key), now.Add(agentLifetime))
	if err != nil {
		return nil, err
	}
	certificate, err := s.options.Authority.IssueAgent(key, agentID, now, agentLifetime)
	if err != nil {
		return nil, err
	}
	s.options.Logger.Info("agent took a new key", "agent", agentID, "forked_from", record.AgentID)
	return &inventoryv1.RekeyResponse{Certificate: certificate, AgentId: agentID}, nil
}

// failures limits failed attempts per address: ten in a row, then one in six seconds. Successful
// enrollments are never limited, however many share an address.
type failures struct {
	limiters *lru.Cache[netip.Addr, *rate.Limiter]
}

const (
	failureBurst   = 10
	failureEvery   = 6 * time.Second
	failureSources = 4096 // addresses remembered
)

func newFailures() *failures {
	limiters, err := lru.New[netip.Addr, *rate.Limiter](failureSources)
	if err != nil {
		panic(err) // only a size below one is an error
	}
	return &failures{limiters: limiters}
}

func (f *failures) tooMany(from netip.Addr) bool {
	limiter, ok := f.limiters.Get(from)
	return ok && limiter.Tokens() < 1
}

func (f *failures) note(from netip.Addr) {
	limiter, ok := f.limiters.Get(from)
	if !ok {
		limiter = rate.NewLimiter(rate.Every(failureEvery), failureBurst)
		f.limiters.Add(from, limiter)
	}
	limiter.Allow()
}
