package link

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExplainNamesTheCause(t *testing.T) {
	t.Parallel()
	cases := []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("disk full"), "disk full"},
		{context.Canceled, "stopped"},
		{status.Error(codes.Unauthenticated, "token"), "the collector refuses this agent: token"},
		{status.Error(codes.ResourceExhausted, "later"), "the collector is busy: later"},
		{fmt.Errorf("request a new key: %w", status.Error(codes.PermissionDenied, "no")), "request a new key: the collector refuses this agent: no"},
		{status.Error(codes.Unavailable, "dial tcp: connection refused"), "the collector cannot be reached: "},
		{status.Error(codes.Unavailable, "error reading from server: remote error: tls: expired certificate"), "does not accept this agent's certificate"},
		{status.Error(codes.Unavailable, `desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate has expired or is not yet valid"`), "this machine's clock is wrong"},
		{status.Error(codes.Unavailable, "authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"), "a proxy intercepts TLS"},
		{status.Error(codes.Unavailable, "authentication handshake failed: tls: first record does not look like a TLS handshake"), "TLS handshake with the collector failed"},
		{status.Error(codes.Unknown, "unexpected HTTP status code 502"), "not a Muster collector"},
	}
	for _, c := range cases {
		if got := Explain(c.err); !strings.Contains(got, c.want) || (got == "") != (c.want == "") || strings.Contains(got, "rpc error") {
			t.Errorf("%v: got %q, want %q in it", c.err, got, c.want)
		}
	}
}
