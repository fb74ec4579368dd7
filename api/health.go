package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// Health is the response of a healthy program.
type Health struct {
	Status  string `json:"status" enum:"ok" doc:"Always ok: any other state is a problem."`
	Version string `json:"version,omitempty" doc:"The version of the program."`
}

// HealthOutput answers with the program's health.
type HealthOutput struct{ Body Health }

const healthTag = "Health"

func (s *server) registerHealth() {
	alive := s.public("/healthz", "get-health", healthTag, "Check that the program runs")
	alive.Description = "Checks the program. It answers 200 even if the database does not, and 503 if the private " +
		"database ended and cannot be started again."
	handle(s, alive, func(ctx context.Context, _ *struct{}) (*HealthOutput, error) {
		if err := s.Alive(); err != nil {
			return nil, s.notReady(ctx, err)
		}
		return &HealthOutput{Body: Health{Status: "ok", Version: s.Version}}, nil
	})

	ready := s.public("/readyz", "get-readiness", healthTag, "Check that the program can serve requests")
	ready.Description = "Answers 503 while the database does not answer or has another schema version, while the " +
		"program accepts no inventories because its disk is nearly full, and when it is stopping. Reads may work " +
		"nevertheless."
	handle(s, ready, func(ctx context.Context, _ *struct{}) (*HealthOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			return nil, s.notReady(ctx, err)
		}
		return &HealthOutput{Body: Health{Status: "ok", Version: s.Version}}, nil
	})
}

// readyTimeout bounds the readiness check.
const readyTimeout = 3 * time.Second

// notReady returns a domain error's message to the caller and writes any other error to the log.
func (s *server) notReady(ctx context.Context, err error) error {
	if domain, ok := errors.AsType[*inventory.Error](err); ok {
		p := newProblem(ctx, http.StatusServiceUnavailable, domain.Message)
		p.retryAfter(domain.RetryAfter)
		return p
	}
	s.Logger.WarnContext(ctx, "not ready", "error", err)
	return newProblem(ctx, http.StatusServiceUnavailable, "the database does not answer; try again later")
}
