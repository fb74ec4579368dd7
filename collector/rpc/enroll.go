package rpc

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"net/netip"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Enroll implements the Enrollment service. The token is checked first, because that costs least.
func (s *Server) Enroll(ctx context.Context, req *inventoryv1.EnrollRequest) (*inventoryv1.EnrollResponse, error) {
	from, token := callerAddress(ctx), pki.HashToken(req.GetToken())
	switch exists, err := s.tokens.exists(ctx, token); {
	case err != nil:
		return nil, err
	case !exists:
		return nil, s.rejected(from, unauthenticated("the enrollment token is not known here"))
	}
	key, err := pki.ParseCSR(req.GetCsr())
	if err != nil {
		return nil, s.rejected(from, invalid("certificate request: "+err.Error()))
	}
	now := time.Now()
	agentID, err := s.options.Store.Enroll(ctx, inventory.Enrollment{
		Token: token, Key: pki.KeyID(key), From: from, Expires: now.Add(agentLifetime),
		SerialNumber: ingest.Text(req.GetSerialNumber()), Hostname: ingest.Text(req.GetHostname()),
	})
	if err != nil {
		return nil, s.rejected(from, err)
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

// rejected logs the rejection of an enrollment or renewal and returns its error.
func (s *Server) rejected(from netip.Addr, err error) error {
	if e, ok := errors.AsType[*inventory.Error](err); ok {
		if ok, dropped := s.rejections.allow(from); ok {
			s.options.Logger.Warn("enrollment rejected",
				"from", from, "reason", e.Message, "not_logged_before", dropped)
		}
	}
	return err
}

// Rejections of one address that are logged.
const (
	rejectionBurst = 5
	rejectionEvery = time.Minute
)

// Challenge implements the Enrollment service. It stores nothing: every collector with the same CA
// can verify the nonce.
func (s *Server) Challenge(context.Context, *inventoryv1.ChallengeRequest) (*inventoryv1.ChallengeResponse, error) {
	return &inventoryv1.ChallengeResponse{Nonce: s.options.Authority.Nonce(time.Now())}, nil
}

// Renew implements the Enrollment service.
func (s *Server) Renew(ctx context.Context, req *inventoryv1.RenewRequest) (*inventoryv1.RenewResponse, error) {
	from, now := callerAddress(ctx), time.Now()
	if err := s.options.Authority.CheckNonce(req.GetNonce(), now); err != nil {
		return nil, s.rejected(from, unauthenticated("nonce: "+err.Error()))
	}
	key, err := pki.CheckRenew(req.GetPublicKey(), req.GetNonce(), req.GetSignature())
	if err != nil {
		return nil, s.rejected(from, unauthenticated("signature: "+err.Error()))
	}
	agentID, err := s.renew(ctx, key, now)
	if err != nil {
		return nil, s.rejected(from, err)
	}
	certificate, err := s.options.Authority.IssueAgent(key, agentID, now, agentLifetime)
	if err != nil {
		return nil, err
	}
	return &inventoryv1.RenewResponse{Certificate: certificate, Authorities: s.authorities()}, nil
}

// renew stores a renewal. Anybody can make up keys, so that few of these calls may use the store at
// once.
func (s *Server) renew(ctx context.Context, key *ecdsa.PublicKey, now time.Time) (agentID string, err error) {
	if err := s.renewing.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer s.renewing.Release(1)
	return s.options.Store.Renew(ctx, pki.KeyID(key), now.Add(agentLifetime), now.Add(-renewalGrace))
}

// maxRenewing is how many renewals use the store at the same time.
const maxRenewing = 2

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
	if ok, _ := s.rekeys.allow(record.ID); !ok {
		return nil, status.Error(codes.ResourceExhausted, "too many copies of this agent need a key; try again later")
	}
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

// New keys for copies of one agent: a classroom of machines with one disk image takes some minutes.
const (
	rekeyBurst = 20
	rekeyEvery = 2 * time.Second
)
