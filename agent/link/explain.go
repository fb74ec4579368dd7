package link

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/pki"
)

// Explain returns an error as a text for the person who has to act on it. gRPC reports a failed
// handshake as text only, so Explain examines the text.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	var answered interface {
		error
		GRPCStatus() *status.Status
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "stopped"
	case !errors.As(err, &answered):
		return err.Error()
	}
	before := strings.TrimSuffix(err.Error(), answered.Error()) // what the agent was doing
	return before + explainStatus(answered.GRPCStatus())
}

func explainStatus(answered *status.Status) string {
	text := answered.Message()
	switch answered.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		return "the collector refuses this agent: " + text
	case codes.ResourceExhausted:
		return "the collector is busy: " + text
	case codes.DeadlineExceeded:
		return "the collector did not answer in time: " + text
	case codes.Unavailable:
		return explainUnavailable(text)
	case codes.Unimplemented, codes.Unknown:
		return "the server is not a Muster collector, or a proxy between changes its responses: " + text
	default:
		return "the collector reports an error: " + text
	}
}

func explainUnavailable(text string) string {
	switch {
	case isRefusedCertificate(text):
		return "the collector does not accept this agent's certificate: " + text
	case strings.Contains(text, pki.ErrPin.Error()):
		return "the collector's certificate does not match the CA pin, or a proxy intercepts TLS: " + text
	case strings.Contains(text, "certificate has expired"):
		return "the collector's certificate has expired, or this machine's clock is wrong: " + text
	case strings.Contains(text, "x509: "), strings.Contains(text, "tls: failed to verify certificate"):
		return "this agent does not trust the authority of the collector's certificate, " +
			"or a proxy intercepts TLS: " + text
	case strings.Contains(text, "authentication handshake failed"):
		return "the TLS handshake with the collector failed: " + text
	default:
		return "the collector cannot be reached: " + text
	}
}

// refusedCertificate reports whether the collector refused the agent's certificate. TLS 1.3 reports
// that to a client after the handshake, in an alert (RFC 8446 §6.2).
func refusedCertificate(err error) bool {
	return status.Code(err) == codes.Unavailable && isRefusedCertificate(status.Convert(err).Message())
}

func isRefusedCertificate(text string) bool {
	_, alert, ok := strings.Cut(text, "remote error: tls: ")
	return ok && (strings.Contains(alert, "certificate") || strings.Contains(alert, "unknown certificate authority"))
}
