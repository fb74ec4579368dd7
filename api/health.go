package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// Health is the answer of a program that is well.
type Health struct {
	Status  string `json:"status" enum:"ok" doc:"Always ok: any other state is a problem."`
	Version string `json:"version,omitempty" doc:"Of the program."`
}

// HealthOutput answers with the program's health.
type HealthOutput struct{ Body Health }

const healthTag = "Health"

func (s *server) registerHealth() {
	alive := s.public("/healthz", "get-health", healthTag, "Is the program running?")
	alive.Description = "Of the program alone: it answers also while the database does not."
	handle(s, alive, func(context.Context, *struct{}) (*HealthOutput, error) {
		return &HealthOutput{Body: Health{Status: "ok", Version: s.Version}}, nil
	})

	ready := s.public("/readyz", "get-readiness", healthTag, "Should the program get requests?")
	ready.Description = "503 while the database does not answer, its schema is another program's, or the program stops."
	handle(s, ready, func(ctx context.Context, _ *struct{}) (*HealthOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			return nil, s.notReady(ctx, err)
		}
		return &HealthOutput{Body: Health{Status: "ok", Version: s.Version}}, nil
	})
}

// readyTimeout is how long whoever asks for readiness will wait, more or less.
const readyTimeout = 3 * time.Second

// notReady tells everybody as much as the error was made for, and the log the rest.
func (s *server) notReady(ctx context.Context, err error) error {
	if domain, ok := errors.AsType[*inventory.Error](err); ok {
		return newProblem(ctx, http.StatusServiceUnavailable, domain.Message)
	}
	s.Logger.WarnContext(ctx, "not ready", "error", err)
	return newProblem(ctx, http.StatusServiceUnavailable, "the database does not answer")
}
