package link

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/musterhq/muster/internal/pki"
)

// Words says what an error means to the person who may have to do something about it. gRPC hands a failed handshake on as
// text only, so it is the text that is looked at.
func Words(err error) string {
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
	before := strings.TrimSuffix(err.Error(), answered.Error()) // what we were doing
	return before + inWords(answered.GRPCStatus())
}

func inWords(answered *status.Status) string {
	text := answered.Message()
	switch answered.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		return "the collector refuses this agent: " + text
	case codes.ResourceExhausted:
		return "the collector is busy: " + text
	case codes.DeadlineExceeded:
		return "the collector does not answer: " + text
	case codes.Unavailable:
		return unavailable(text)
	case codes.Unimplemented, codes.Unknown:
		return "what answers there is no Muster collector, or something between changes what it says: " + text
	default:
		return "the collector answers: " + text
	}
}

func unavailable(text string) string {
	switch {
	case isRefusedCertificate(text):
		return "the collector does not accept this agent's certificate: " + text
	case strings.Contains(text, pki.ErrPin.Error()):
		return "this is not the collector that the CA pin belongs to, or something between intercepts TLS: " + text
	case strings.Contains(text, "certificate has expired"):
		return "the collector's certificate has expired, or this machine's clock is wrong: " + text
	case strings.Contains(text, "x509: "), strings.Contains(text, "tls: failed to verify certificate"):
		return "the collector's certificate is not from the authority this agent trusts, or something between intercepts TLS: " + text
	case strings.Contains(text, "authentication handshake failed"):
		return "no TLS connection to the collector comes about: " + text
	default:
		return "the collector cannot be reached: " + text
	}
}

// refusedCertificate reports whether the collector turned down the agent's certificate in the handshake, which
// TLS 1.3 tells a client only afterwards, by an alert (RFC 8446 §6.2).
func refusedCertificate(err error) bool {
	return status.Code(err) == codes.Unavailable && isRefusedCertificate(status.Convert(err).Message())
}

func isRefusedCertificate(text string) bool {
	_, alert, ok := strings.Cut(text, "remote error: tls: ")
	return ok && (strings.Contains(alert, "certificate") || strings.Contains(alert, "unknown certificate authority"))
}
