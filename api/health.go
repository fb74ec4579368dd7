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
	alive.Description = "Checks the program alone. It answers even if the database does not."
	handle(s, alive, func(context.Context, *struct{}) (*HealthOutput, error) {
		return &HealthOutput{Body: Health{Status: "ok", Version: s.Version}}, nil
	})

	ready := s.public("/readyz", "get-readiness", healthTag, "Check that the program can serve requests")
	ready.Description = "Answers 503 while the database does not answer, has another schema version, or the " +
		"program is stopping."
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
		return newProblem(ctx, http.StatusServiceUnavailable, domain.Message)
	}
	s.Logger.WarnContext(ctx, "not ready", "error", err)
	return newProblem(ctx, http.StatusServiceUnavailable, "the database does not answer; try again later")
}
