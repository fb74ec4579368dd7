package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
)

// caller returns the hash of the key of the caller's verified certificate.
func caller(ctx context.Context) ([32]byte, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return [32]byte{}, unauthenticated("no peer")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 || len(info.State.VerifiedChains[0]) == 0 {
		return [32]byte{}, unauthenticated("a client certificate is required; enroll first")
	}
	key, err := pki.KeyOf(info.State.VerifiedChains[0][0])
	if err != nil {
		return [32]byte{}, unauthenticated(err.Error())
	}
	return pki.KeyID(key), nil
}

func unauthenticated(message string) error {
	return &inventory.Error{Code: inventory.CodeUnauthenticated, Message: message}
}

func callerAddress(ctx context.Context) netip.Addr {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return netip.Addr{}
	}
	return addressOf(p.Addr)
}

// record returns the caller's record, or an error if its key was revoked or is not approved yet.
func (s *Server) record(ctx context.Context) (inventory.Record, error) {
	key, err := caller(ctx)
	if err != nil {
		return inventory.Record{}, err
	}
	record, err := s.options.Store.Record(ctx, key)
	if err != nil {
		return record, err
	}
	switch {
	case record.RevokedAt != nil:
		return record, errRevoked
	case record.Pending:
		return record, errPending
	}
	return record, nil
}

var errPending = &inventory.Error{
	Code:    inventory.CodeForbidden,
	Message: "this agent waits until a person approves it; the collector applies nothing before",
}

var errRevoked = &inventory.Error{Code: inventory.CodeForbidden, Message: "this agent's key was revoked"}

// toStatus is the only conversion of errors to gRPC statuses. It logs internal details and hides
// them from the caller.
func (s *Server) toStatus(method string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	var e *inventory.Error
	switch {
	case errors.As(err, &e) && e.Code == inventory.CodeUnavailable:
		return unavailable(e)
	case errors.As(err, &e):
		return status.Error(codeOf(e.Code), e.Message)
	case errors.Is(err, ingest.ErrTooMuch):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, ingest.ErrFenced):
		return status.Error(codes.Aborted, err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	if ok, dropped := s.faults.allow(method); ok {
		s.options.Logger.Error("call failed", "method", method, "error", err, "not_logged_before", dropped)
	}
	if outage := s.outage(err); outage != nil {
		return unavailable(outage)
	}
	return status.Error(codes.Unavailable, "the collector cannot reach its store, or is stopping")
}

// Internal errors of one method that are logged: without a database every call has one.
const (
	faultBurst = 5
	faultEvery = 10 * time.Second
)

func codeOf(code string) codes.Code {
	switch code {
	case inventory.CodeInvalid:
		return codes.InvalidArgument
	case inventory.CodeNotFound:
		return codes.NotFound
	case inventory.CodeUnauthenticated:
		return codes.Unauthenticated
	case inventory.CodeForbidden:
		return codes.PermissionDenied
	case inventory.CodeConflict:
		return codes.FailedPrecondition
	default:
		return codes.Unavailable
	}
}

func (s *Server) translateUnary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	answer, err := handler(ctx, req)
	return answer, s.toStatus(info.FullMethod, err)
}

func (s *Server) translateStream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	return s.toStatus(info.FullMethod, handler(srv, stream))
}

// A panic ends one call, not the collector.

func (s *Server) recoverUnary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (_ any, err error) {
	defer s.recovered(info.FullMethod, &err)
	return handler(ctx, req)
}

func (s *Server) recoverStream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	defer s.recovered(info.FullMethod, &err)
	return handler(srv, stream)
}

func (s *Server) recovered(method string, err *error) {
	if p := recover(); p != nil {
		if ok, dropped := s.faults.allow(method); ok {
			s.options.Logger.Error("panic in call", "method", method, "panic", fmt.Sprint(p),
				"stack", string(debug.Stack()), "not_logged_before", dropped)
		}
		*err = status.Error(codes.Internal, "internal error of the collector; see its log")
	}
}
