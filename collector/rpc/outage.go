package rpc

import (
	"context"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/musterhq/muster/internal/inventory"
)

// unavailable returns the status of an outage. Its RetryInfo is the least time that the agent
// waits; the agent adds its own random wait, so that agents do not return all at once.
func unavailable(outage *inventory.Error) error {
	s := status.New(codes.Unavailable, outage.Message)
	if outage.RetryAfter > 0 {
		detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(outage.RetryAfter)})
		if err == nil {
			s = detailed
		}
	}
	return s.Err()
}

// outage returns the outage that an error is about, or nil.
func (s *Server) outage(err error) *inventory.Error {
	if s.options.Unavailable == nil {
		return nil
	}
	return s.options.Unavailable(err)
}

// While the database does not answer, a call fails at once instead of waiting.

func (s *Server) rejectUnary(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	if err := s.accepting(); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

func (s *Server) rejectStream(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	if err := s.accepting(); err != nil {
		return err
	}
	return handler(srv, stream)
}

func (s *Server) accepting() error {
	if s.options.Outage == nil {
		return nil
	}
	return s.options.Outage()
}
