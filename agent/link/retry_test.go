package link

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// TestAgentWaitsAsLongAsTheCollectorAsks: an error with a RetryInfo makes the agent slower by that
// time, never faster, and not for longer than the longest wait.
func TestAgentWaitsAsLongAsTheCollectorAsks(t *testing.T) {
	t.Parallel()
	asks := func(wait time.Duration) error {
		s, err := status.New(codes.Unavailable, "the disk is full").WithDetails(
			&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
		if err != nil {
			t.Fatal(err)
		}
		return s.Err()
	}
	for _, c := range []struct {
		name string
		err  error
		want time.Duration // before the random wait
	}{
		{"no status", errors.New("no route to host"), 0},
		{"no detail", status.Error(codes.Unavailable, "stopping"), 0},
		{"a minute", asks(time.Minute), time.Minute},
		{"a minute, wrapped", fmt.Errorf("sync: %w", asks(time.Minute)), time.Minute},
		{"a year", asks(365 * 24 * time.Hour), backoffCap},
		{"a negative time", asks(-time.Hour), 0},
		{"an invalid time", fmt.Errorf("sync: %w", asks(time.Duration(-1<<63))), 0},
	} {
		least, most := c.want+backoffFloor, c.want+backoffFirst
		if got := BackoffAfter(1, c.err); got < least || got > most {
			t.Errorf("%s: got %v, want between %v and %v", c.name, got, least, most)
		}
	}
}
